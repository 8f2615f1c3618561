import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatedFiles, ROOT } from './docs/generated-files.ts';

for (const [path, text] of generatedFiles()) writeFileSync(join(ROOT, path), text);
