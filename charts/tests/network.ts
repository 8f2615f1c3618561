import { BlockList, isIPv6 } from 'node:net';
import type { KubeObject } from './helm.ts';

type Labels = Readonly<Record<string, string>>;

/** One end of a connection: a pod, or an address outside the cluster. */
export type Endpoint = { labels: Labels; namespace: string } | { address: string };

export interface Connection {
  from: Endpoint;
  to: Endpoint;
  port: number;
  protocol?: 'TCP' | 'UDP';
}

interface Selector {
  matchLabels?: Labels;
}

interface Peer {
  podSelector?: Selector;
  namespaceSelector?: Selector;
  ipBlock?: { cidr: string; except?: string[] };
}

interface Rule {
  from?: Peer[];
  to?: Peer[];
  ports?: { port?: number; protocol?: string }[];
}

/**
 * Returns whether the policies of a namespace allow a connection, as Kubernetes defines it: a pod
 * selected by policies may do only what one of them allows, and both ends must allow it.
 */
export function isAllowed(
  policies: readonly KubeObject[],
  namespace: string,
  flow: Connection,
): boolean {
  const allows = (own: Endpoint, peer: Endpoint, type: 'Egress' | 'Ingress') => {
    const selecting = policies.filter(
      ({ spec }) =>
        'labels' in own &&
        own.namespace === namespace &&
        matches(spec.podSelector, own.labels) &&
        spec.policyTypes.includes(type),
    );
    if (selecting.length === 0) return true;
    const rules: Rule[] = selecting.flatMap(({ spec }) => spec[type.toLowerCase()] ?? []);
    return rules.some((rule) => {
      const peers = rule.from ?? rule.to;
      return hasPort(rule, flow) && (!peers || peers.some((one) => isPeer(one, peer, namespace)));
    });
  };
  return allows(flow.from, flow.to, 'Egress') && allows(flow.to, flow.from, 'Ingress');
}

function hasPort({ ports }: Rule, { port, protocol = 'TCP' }: Connection): boolean {
  if (!ports) return true;
  return ports.some((one) => (one.port ?? port) === port && (one.protocol ?? 'TCP') === protocol);
}

function isPeer(peer: Peer, end: Endpoint, policyNamespace: string): boolean {
  if (peer.ipBlock) return 'address' in end && isInBlock(peer.ipBlock, end.address);
  if (!('labels' in end)) return false;
  const inNamespace = peer.namespaceSelector
    ? matches(peer.namespaceSelector, { 'kubernetes.io/metadata.name': end.namespace })
    : end.namespace === policyNamespace;
  return inNamespace && matches(peer.podSelector ?? {}, end.labels);
}

function matches({ matchLabels = {}, ...rest }: Selector, labels: Labels): boolean {
  const others = Object.keys(rest);
  if (others.length > 0) throw new Error(`${others} of a selector is not understood here`);
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
}

function isInBlock(
  { cidr, except = [] }: { cidr: string; except?: string[] },
  address: string,
): boolean {
  return isIn(cidr, address) && !except.some((hole) => isIn(hole, address));
}

function isIn(cidr: string, address: string): boolean {
  const [network = '', bits] = cidr.split('/');
  if (isIPv6(network) !== isIPv6(address)) return false;
  const family = isIPv6(network) ? 'ipv6' : 'ipv4';
  const block = new BlockList();
  block.addSubnet(network, Number(bits), family);
  return block.check(address, family);
}
