import type { KubeObject } from './helm.ts';

/** A pod, or what makes pods. */
export interface PodMaker {
  name: string;
  /** Its `app.kubernetes.io/component`. */
  component: string;
  labels: Record<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: the schemas are checked by a test of their own
  spec: any;
}

export function podsOf(objects: readonly KubeObject[]): PodMaker[] {
  return objects.flatMap((object) => {
    const pod = object.kind === 'Pod' ? object : object.spec?.template;
    if (!pod?.spec?.containers) return [];
    const labels = pod.metadata.labels;
    const component = labels['app.kubernetes.io/component'];
    return [{ name: object.metadata.name, component, labels, spec: pod.spec }];
  });
}

/** What a container's process gets; a value of a Secret is what `secret` gives for its name and key. */
export function environmentOf(
  objects: readonly KubeObject[],
  pod: PodMaker,
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

/** Kubernetes replaces `$(NAME)` by what was set before. */
function expand(value: string, env: Readonly<Record<string, string>>): string {
  return value.replaceAll(/\$\((\w+)\)/g, (whole, name) => env[name] ?? whole);
}
