import { jsonSchemaOf } from '@lastframe/shared/settings/value-types';
import { variables } from '@lastframe/shared/settings/variables';
import { stringify } from 'yaml';

/** Variables that the chart sets itself and rejects in `config` and `secretEnv`, and why. */
export const SET_BY_CHART: Readonly<Record<string, string>> = {
  REDIS_URL: 'the chart derives it from redis and externalRedis',
  FRAMES_REDIS_URL: 'the chart derives it from externalRedis',
  REDIS_CA_FILE: 'the chart derives it from externalRedis.caSecret',
  REDIS_CERT_FILE: 'the chart derives it from externalRedis.clientCertSecret',
  REDIS_KEY_FILE: 'the chart derives it from externalRedis.clientCertSecret',
  SOURCES_FILE: 'the chart derives it from sources',
  HOST: 'the chart derives it from listenAddress',
  OPS_HOST: 'the chart derives it from listenAddress',
  PORT: 'set api.service.port instead',
  OPS_PORT: 'probes and metrics rely on it',
  REUSE_PORT: 'every pod has its own ports',
  ADOPT_REDIS: 'other pods of the fleet may be running, and two could call one camera at once',
};

/** Names of variables whose values must not be readable in a ConfigMap. */
const SECRET = /_(USER|PASSWORD|TOKEN|KEY)$/;

type Name = keyof typeof variables;
const names = Object.keys(variables) as Name[];
const userNames = names.filter((name) => !(name in SET_BY_CHART));

/** Returns `charts/lastframe/files/variables.yaml`: which processes read which variables. */
export function chartVariables(): string {
  const processesOf = (selected: readonly Name[]) =>
    Object.fromEntries(selected.map((name) => [name, variables[name].processes]));
  const groups = {
    config: processesOf(userNames.filter((name) => !SECRET.test(name))),
    secret: processesOf(userNames.filter((name) => SECRET.test(name))),
    chart: Object.fromEntries(Object.entries(SET_BY_CHART).filter(([name]) => name in variables)),
  };
  return `# Written by \`npm run docs\` from shared/src/settings/variables.ts.\n${stringify(groups, { aliasDuplicateObjects: false, lineWidth: 0 })}`;
}

/** Returns the schema of `config`. It accepts what the templates reject with a better message. */
export function configSchema(): object {
  const rejectedByTemplates = names.filter((name) => name in SET_BY_CHART || SECRET.test(name));
  const checkedHere = names.filter((name) => !rejectedByTemplates.includes(name));
  return {
    type: 'object',
    additionalProperties: false,
    properties: {
      ...Object.fromEntries(checkedHere.map((name) => [name, schemaOf(name)])),
      ...Object.fromEntries(rejectedByTemplates.map((name) => [name, {}])),
    },
  };
}

function schemaOf(name: Name): object {
  const { schema, meaning, fallback } = variables[name];
  const description = fallback ? `${meaning} (${fallback})` : meaning;
  return { description, ...jsonSchemaOf(schema) };
}
