import type { KubeObject } from './helm.ts';

/** A pod, or an object that creates pods. */
export interface PodSource {
  name: string;
  /** Its `app.kubernetes.io/component`. */
  component: string;
  labels: Record<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: the schemas are checked by a test of their own
  spec: any;
}

export function podsOf(objects: readonly KubeObject[]): PodSource[] {
  return objects.flatMap((object) => {
    const pod = object.kind === 'Pod' ? object : object.spec?.template;
    if (!pod?.spec?.containers) return [];
    const labels = pod.metadata.labels;
    const component = labels['app.kubernetes.io/component'];
    return [{ name: object.metadata.name, component, labels, spec: pod.spec }];
  });
}

/** Returns a container's environment; `secret` returns the value for a Secret's name and key. */
export function environmentOf(
  objects: readonly KubeObject[],
  pod: PodSource,
  secret: (name: string, key: string) => string,
): Record<string, string> {
  const [container] = pod.spec.containers;
  const env: Record<string, string> = {};
  for (const { configMapRef } of container.envFrom ?? []) {
    const map = objects.find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef.name,
    );
    Object.assign(env, map?.data);
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const ref = valueFrom?.secretKeyRef;
    env[name] = ref ? secret(ref.name, ref.key) : expand(value, env);
  }
  return env;
}

/** Replaces `$(NAME)` with an earlier variable, as Kubernetes does. */
function expand(value: string, env: Readonly<Record<string, string>>): string {
  return value.replaceAll(/\$\((\w+)\)/g, (whole, name) => env[name] ?? whole);
}
