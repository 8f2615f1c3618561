import { createAttacker, type Targets } from './attacker.ts';
import { attacks, parseAttackNames } from './attacks.ts';

/** The attackers' process: runs all of `ATTACKS` at once until SIGTERM. */
const targets = JSON.parse(process.env.TARGETS ?? '{}') as Targets;
const outcomes: Record<string, Record<string, number>> = {};
for (const name of parseAttackNames(process.env.ATTACKS)) {
  const counts: Record<string, number> = {};
  outcomes[name] = counts;
  const count = (outcome: string) => {
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  };
  attacks[name](createAttacker(targets, count));
}
process.once('SIGTERM', () => {
  const cpu = process.cpuUsage();
  const cpuS = (cpu.user + cpu.system) / 1e6;
  console.log(JSON.stringify({ msg: 'attacks ended', outcomes, cpuS }));
  process.exit(0);
});
console.log(JSON.stringify({ msg: 'listening' }));
