import { isPart, PARTS } from './parts.ts';

const [name = ''] = process.argv.slice(2);
if (!isPart(name)) {
  console.error(`lastframe: "${name}" is not a known command; expected one of ${PARTS.join(', ')}`);
  process.exit(1);
}
await import(`../${name}/src/main.ts`);
