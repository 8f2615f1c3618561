import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { freePort } from '../redis/redis-server.ts';
import { type RunningServer, startServer } from '../running-server.ts';

/** A real Prometheus for one test, which scrapes every half second. */
export interface Prometheus {
  /** Evaluates an expression now. */
  query(expr: string): Promise<Series[]>;
  /** Returns the names of the alerts that are firing now. */
  firing(): Promise<string[]>;
  stop(): Promise<void>;
}

export interface Series {
  metric: Record<string, string>;
  value: number;
}

/** The current URL of each scrape target; undefined when it is down. */
export type Targets = Record<string, () => string | undefined>;

const TOOLS = join(import.meta.dirname, '../../.tools');

/** Finds the tool on PATH, or the one that `scripts/setup --with-tests` downloaded. */
export function prometheusTool(name: 'prometheus' | 'promtool'): string {
  for (const path of [name, join(TOOLS, name)]) {
    try {
      execFileSync(path, ['--version'], { stdio: 'ignore' });
      return path;
    } catch {
      // try the next
    }
  }
  throw new Error(`no ${name} on PATH or in .tools; run \`make setup\` or install Prometheus`);
}

/**
 * Starts Prometheus with these rules. It would take seconds to notice changed targets, so it always
 * scrapes the same ones at a gateway, which forwards each to its current URL.
 */
export async function startPrometheus(rules: string, targets: Targets): Promise<Prometheus> {
  const dir = await mkdtemp(join(tmpdir(), 'lastframe-prometheus-'));
  const gateway = await startGateway(targets);
  const port = await freePort();
  await writeFile(join(dir, 'rules.yaml'), rules);
  await writeFile(join(dir, 'prometheus.yaml'), configuration(gateway.port, Object.keys(targets)));
  const args = [`--config.file=${dir}/prometheus.yaml`, `--storage.tsdb.path=${dir}/data`];
  args.push(`--web.listen-address=127.0.0.1:${port}`, '--query.lookback-delta=5s');
  const child = spawn(prometheusTool('prometheus'), args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const complaints: string[] = [];
  child.stderr?.on('data', (chunk) => complaints.push(String(chunk)));
  const url = `http://127.0.0.1:${port}`;
  const get = async (path: string) => {
    const answer = await fetch(url + path);
    const body = (await answer.json()) as { status: string; error?: string; data: never };
    if (body.status !== 'success') throw new Error(`${path}: ${body.error}`);
    return body.data;
  };
  const stop = async () => {
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
    await gateway.close();
    await rm(dir, { recursive: true, force: true });
  };
  const expectReady = async () => expect((await fetch(`${url}/-/ready`)).ok).toBe(true);
  const ready = vi.waitFor(expectReady, { timeout: 20_000 }).then(() => true);
  const ended = once(child, 'exit').then(() => false);
  if (!(await Promise.race([ready, ended]).catch(() => false))) {
    await stop();
    throw new Error(`Prometheus is not ready:\n${complaints.join('')}`);
  }
  return {
    query: async (expr) => {
      const { result } = (await get(`/api/v1/query?query=${encodeURIComponent(expr)}`)) as {
        result: { metric: Record<string, string>; value: [number, string] }[];
      };
      return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    firing: async () => {
      const { alerts } = (await get('/api/v1/alerts')) as {
        alerts: { state: string; labels: { alertname: string } }[];
      };
      const firing = alerts.filter(({ state }) => state === 'firing');
      return [...new Set(firing.map(({ labels }) => labels.alertname))].sort();
    },
    stop,
  };
}

function configuration(gatewayPort: number, names: readonly string[]): string {
  const jobs = names.map((name) => ({
    job_name: name,
    metrics_path: `/${name}`,
    static_configs: [{ targets: [`127.0.0.1:${gatewayPort}`], labels: { namespace: 'test' } }],
  }));
  return JSON.stringify({
    global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' },
    rule_files: ['rules.yaml'],
    scrape_configs: jobs,
  });
}

async function startGateway(targets: Targets): Promise<RunningServer> {
  const gateway = createServer((req, res) => {
    const url = targets[req.url?.slice(1) ?? '']?.();
    if (url === undefined) return void res.destroy();
    const forwarded = request(url, (response) => {
      res.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(res);
    });
    forwarded.on('error', () => res.destroy());
    res.on('close', () => forwarded.destroy());
    forwarded.end();
  });
  return await startServer(gateway);
}
