import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, it } from 'vitest';
import api from '../../package.json' with { type: 'json' };
import { openApi } from './openapi.ts';

it('is a valid OpenAPI 3.1 document', async () => {
  const validator = new Validator();
  const result = await validator.validate(structuredClone(openApi()));
  expect(result).toMatchObject({ valid: true });
  expect(validator.version).toBe('3.1');
});

it('has the version of the package', () => {
  expect(openApi()).toMatchObject({ info: { version: api.version } });
});

it('has its parameters from the schema that checks requests', () => {
  const { paths } = openApi() as { paths: Record<string, { get: { parameters: unknown[] } }> };
  expect(paths['/images']?.get.parameters).toContainEqual(
    expect.objectContaining({
      name: 'url',
      in: 'query',
      required: true,
      schema: expect.objectContaining({ type: 'string', description: expect.any(String) }),
    }),
  );
});
