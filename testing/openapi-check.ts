/** What of an OpenAPI document a response is checked against. */
interface Document {
  paths: Record<string, Record<string, Operation> | undefined>;
}

interface Operation {
  responses: Record<string, { headers?: Record<string, { required?: boolean }> } | undefined>;
}

/** What about a response the document doesn't say, or says otherwise; empty when they agree. */
export function disagreements(
  document: unknown,
  request: { path: string; method: string },
  response: Response,
): string[] {
  const { paths } = document as Document;
  const what = `${request.method} ${request.path}`;
  const operation = paths[request.path]?.[request.method.toLowerCase()];
  if (!operation) return [`${what} is not documented`];
  const answer = operation.responses[response.status];
  if (!answer) return [`${what}: ${response.status} is not documented`];
  return Object.entries(answer.headers ?? {})
    .filter(([name, { required }]) => required && !response.headers.has(name))
    .map(([name]) => `${what}: ${response.status} has no ${name}`);
}
