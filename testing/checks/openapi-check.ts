/** The parts of an OpenAPI document that responses are checked against. */
interface Document {
  paths: Record<string, Record<string, Operation> | undefined>;
}

interface Operation {
  responses: Record<string, { headers?: Record<string, { required?: boolean }> } | undefined>;
}

/** Returns how a response deviates from the document; empty if it doesn't. */
export function deviationsFromDocument(
  document: unknown,
  request: { path: string; method: string },
  response: Response,
): string[] {
  const { paths } = document as Document;
  const operationName = `${request.method} ${request.path}`;
  const operation = paths[request.path]?.[request.method.toLowerCase()];
  if (!operation) return [`${operationName} is not documented`];
  const documented = operation.responses[response.status];
  if (!documented) return [`${operationName}: ${response.status} is not documented`];
  return Object.entries(documented.headers ?? {})
    .filter(([name, { required }]) => required && !response.headers.has(name))
    .map(([name]) => `${operationName}: ${response.status} has no ${name}`);
}
