import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A `SOURCES_FILE` of a test's own. */
export interface SourcesFile {
  readonly path: string;
  remove(): void;
}

export function writeSourcesFile(yaml: string): SourcesFile {
  const folder = mkdtempSync(join(tmpdir(), 'lastframe-sources-'));
  const path = join(folder, 'sources.yaml');
  writeFileSync(path, yaml);
  return { path, remove: () => rmSync(folder, { recursive: true }) };
}
