import { beforeAll, describe, expect, it } from 'vitest';
import { type KubeObject, render } from './helm.ts';
import { type Connection, type Endpoint, isAllowed } from './network.ts';

const NAMESPACE = 'cameras';
const part = (component: string): Endpoint => ({
  namespace: NAMESPACE,
  labels: {
    'app.kubernetes.io/name': 'lastframe',
    'app.kubernetes.io/instance': 'demo',
    'app.kubernetes.io/component': component,
  },
});
const ENDS: Record<string, Endpoint> = {
  ...Object.fromEntries(
    ['api', 'worker', 'redis', 'slow-server', 'test'].map((name) => [name, part(name)]),
  ),
  dns: { namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
  'another pod of kube-system': { namespace: 'kube-system', labels: {} },
  prometheus: { namespace: 'monitoring', labels: {} },
  keda: { namespace: 'keda', labels: {} },
  traefik: { namespace: 'traefik', labels: {} },
  'data pod': { namespace: 'data', labels: {} },
  neighbour: { namespace: NAMESPACE, labels: { app: 'other' } },
  'other release': {
    namespace: NAMESPACE,
    labels: {
      'app.kubernetes.io/name': 'lastframe',
      'app.kubernetes.io/instance': 'two',
      'app.kubernetes.io/component': 'worker',
    },
  },
  stranger: { namespace: 'elsewhere', labels: {} },
  viewer: { address: '203.0.113.7' },
  'public camera': { address: '198.51.100.9' },
  'public camera by IPv6': { address: '2001:db8::9' },
  'allowed private camera': { address: '10.20.3.4' },
  'camera of a source': { address: '10.30.0.9' },
  'private address': { address: '10.21.0.1' },
  'metadata service': { address: '169.254.169.254' },
  'metadata service of Azure': { address: '168.63.129.16' },
  'private address by IPv6': { address: 'fd00::1' },
  node: { address: '192.168.1.10' },
};

function flow(text: string): Connection {
  const [, from = '', to = '', port, udp] = /^(.+) → (.+) (\d+)(\/udp)?$/.exec(text) ?? [];
  const [source, target] = [ENDS[from], ENDS[to]];
  if (!source || !target) throw new Error(`unknown ends in ${text}`);
  return { from: source, to: target, port: Number(port), protocol: udp ? 'UDP' : 'TCP' };
}

let policies: Record<'default' | 'demo' | 'production' | 'keda', KubeObject[]>;

beforeAll(async () => {
  const of = async (...args: Parameters<typeof render>) =>
    (await render(...args)).filter(({ kind }) => kind === 'NetworkPolicy');
  policies = {
    default: await of('default'),
    demo: await of('demo'),
    production: await of('production'),
    keda: await of('default', '--set', 'worker.keda.enabled=true'),
  };
});

const allows = (values: keyof typeof policies, text: string) =>
  isAllowed(policies[values], NAMESPACE, flow(text));

describe('required connections are allowed', () => {
  it.each([
    'viewer → api 8088',
    'stranger → api 8088',
    'prometheus → api 9088',
    'prometheus → worker 9089',
    'api → redis 6379',
    'worker → redis 6379',
    'api → dns 53/udp',
    'api → dns 53',
    'worker → dns 53/udp',
    'worker → public camera 443',
    'worker → public camera 8080',
    'worker → public camera by IPv6 80',
    'test → api 8088',
    'test → dns 53/udp',
  ])('%s', (text) => expect(allows('default', text)).toBe(true));

  it.each([
    ['demo', 'worker → slow-server 8888'],
    ['keda', 'keda → api 9088'],
    ['production', 'traefik → api 8088'],
    ['production', 'test → api 8088'],
    ['production', 'api → data pod 6379'],
    ['production', 'worker → data pod 6379'],
    ['production', 'worker → allowed private camera 80'],
    ['production', 'worker → camera of a source 554'],
  ] as const)('with the %s values: %s', (values, text) => expect(allows(values, text)).toBe(true));
});

describe('all other connections are blocked', () => {
  it.each([
    // Ops ports, Redis and workers are internal.
    'viewer → api 9088',
    'stranger → api 9088',
    'neighbour → api 9088',
    'test → api 9088',
    'viewer → worker 9089',
    'api → worker 9089',
    'worker → api 8088',
    'worker → api 9088',
    'viewer → redis 6379',
    'neighbour → redis 6379',
    'other release → redis 6379',
    'test → redis 6379',
    'prometheus → redis 6379',
    'keda → redis 6379',
    'keda → api 9088',
    // Only workers call cameras.
    'api → public camera 443',
    'test → public camera 443',
    'redis → public camera 443',
    'redis → dns 53/udp',
    // Private targets need the operator's permission.
    'worker → private address 80',
    'worker → private address by IPv6 80',
    'worker → metadata service 80',
    'worker → metadata service of Azure 80',
    'worker → node 6443',
    'worker → neighbour 80',
    'worker → stranger 80',
    'worker → redis 80',
    'worker → another pod of kube-system 53/udp',
    'worker → dns 80',
  ])('%s', (text) => expect(allows('default', text)).toBe(false));

  it.each([
    ['keda', 'keda → redis 6379'],
    ['keda', 'keda → worker 9089'],
    ['keda', 'stranger → api 9088'],
    ['demo', 'api → slow-server 8888'],
    ['demo', 'viewer → slow-server 8888'],
    ['demo', 'slow-server → public camera 443'],
    ['demo', 'slow-server → redis 6379'],
    ['demo', 'worker → private address 80'],
    ['production', 'viewer → api 8088'],
    ['production', 'stranger → api 8088'],
    ['production', 'worker → private address 80'],
    ['production', 'worker → data pod 80'],
  ] as const)('with the %s values: %s', (values, text) => expect(allows(values, text)).toBe(false));
});

it('renders no policy without networkPolicy.enabled', async () => {
  const objects = await render('default', '--set', 'networkPolicy.enabled=false');
  expect(objects.filter(({ kind }) => kind === 'NetworkPolicy')).toEqual([]);
});
