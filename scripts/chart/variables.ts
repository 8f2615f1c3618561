import { DURATION_FORM, SIZE_FORM } from '@lastframe/shared/settings/units';
import { variables } from '@lastframe/shared/settings/variables';
import { stringify } from 'yaml';

/** What the chart sets itself, and so refuses in `config` and `secretEnv`: why, or what to set instead. */
export const SET_BY_CHART: Readonly<Record<string, string>> = {
  REDIS_URL: 'it follows from redis and externalRedis',
  FRAMES_REDIS_URL: 'it follows from externalRedis',
  REDIS_CA_FILE: 'it follows from externalRedis.caSecret',
  REDIS_CERT_FILE: 'it follows from externalRedis.clientCertSecret',
  REDIS_KEY_FILE: 'it follows from externalRedis.clientCertSecret',
  SOURCES_FILE: 'it follows from sources',
  HOST: 'it follows from listenAddress',
  OPS_HOST: 'it follows from listenAddress',
  PORT: 'viewers see api.service.port',
  OPS_PORT: 'the probes and the metrics go by it',
  REUSE_PORT: 'every pod has its ports for itself',
  ADOPT_REDIS: 'other pods of the fleet may live, and then two could call one camera at once',
};

/** Names of variables whose values must not be readable in a ConfigMap. */
const SECRET = /_(USER|PASSWORD|TOKEN|KEY)$/;

type Name = keyof typeof variables;
const names = Object.keys(variables) as Name[];
const ofUser = names.filter((name) => !(name in SET_BY_CHART));

/** `charts/lastframe/files/variables.yaml`: which variable is whose, for the templates. */
export function chartVariables(): string {
  const whose = (chosen: readonly Name[]) =>
    Object.fromEntries(chosen.map((name) => [name, variables[name].processes]));
  const groups = {
    config: whose(ofUser.filter((name) => !SECRET.test(name))),
    secret: whose(ofUser.filter((name) => SECRET.test(name))),
    chart: Object.fromEntries(Object.entries(SET_BY_CHART).filter(([name]) => name in variables)),
  };
  return `# Written by \`npm run docs\` from shared/src/settings/variables.ts.\n${stringify(groups, { aliasDuplicateObjects: false, lineWidth: 0 })}`;
}

/** The part of values.schema.json that says what `config` may be. What templates refuse with a sentence passes. */
export function configSchema(): object {
  const refusedLater = names.filter((name) => name in SET_BY_CHART || SECRET.test(name));
  const rest = names.filter((name) => !refusedLater.includes(name));
  return {
    type: 'object',
    additionalProperties: false,
    properties: {
      ...Object.fromEntries(rest.map((name) => [name, schemaOf(name)])),
      ...Object.fromEntries(refusedLater.map((name) => [name, {}])),
    },
  };
}

function schemaOf(name: Name): object {
  const { expected, meaning, fallback } = variables[name];
  const description = fallback ? `${meaning} (${fallback})` : meaning;
  const range = /^a whole number from (\d+) to (\d+)/.exec(expected);
  const words = /^one of (.*)$/.exec(expected)?.[1];
  if (expected === DURATION_FORM)
    return { description, type: 'string', pattern: '^[0-9]+([.][0-9]+)?(ms|s|m|h|d)$' };
  if (expected === SIZE_FORM)
    return { description, type: 'string', pattern: '^[0-9]+([.][0-9]+)?(B|KiB|MiB|GiB)$' };
  if (expected === 'true or false') return { description, type: 'boolean' };
  if (words) return { description, enum: words.split(', ') };
  if (range) {
    return { description, type: 'integer', minimum: Number(range[1]), maximum: Number(range[2]) };
  }
  if (/^(networks|URL patterns) like/.test(expected)) {
    return { description, type: ['string', 'array'], items: { type: 'string' } };
  }
  return { description, type: 'string' };
}
