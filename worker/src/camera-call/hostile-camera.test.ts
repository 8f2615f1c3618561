import { describe, expect, it } from 'vitest';
import { call, cameraAt, neverAborted, prepareCameraCall } from '../test-support/calls.ts';
import { type CameraServer, ok, startCamera } from '../test-support/camera-server.ts';
import { testCamera, testSource } from '../test-support/cameras.ts';
import {
  PHASES,
  type Phase,
  startHostileCamera,
  TROUBLES,
  type TroubleName,
} from '../test-support/hostile-camera.ts';
import { image } from '../test-support/images.ts';
import type { Capture } from './capture.ts';
import type { PrepareResult } from './prepare-call.ts';

const jpeg = image('jpeg');
const EARLY = 'the camera sent data before the request; is this port an HTTP server?';
const ENDS = new Set<string>(['a reset', 'an end', 'silence']);

interface Cell {
  isTls: boolean;
  phase: Phase;
  trouble: TroubleName;
}

const rows = [false, true].flatMap((isTls) =>
  PHASES.filter((phase) => isTls || !/TLS|certificate/.test(phase)).map((phase) => ({
    isTls,
    phase,
  })),
);

/** Only a complete response after the request is a frame. */
function isFrame({ phase, trouble }: Cell): boolean {
  if (phase === 'after its body') return true;
  // A line that is not a header does not matter.
  const isWhole = phase === 'after the request' || phase === 'in its head';
  return isWhole && trouble === 'a valid answer';
}

function expectOutcome(result: Capture | PrepareResult, requests: number, cell: Cell): void {
  const { isTls, phase, trouble } = cell;
  if (isFrame(cell)) {
    expect(result, trouble).toMatchObject({ outcome: 'captured', bytes: jpeg });
    return;
  }
  const reason = expect.stringContaining('camera');
  expect(result, trouble).toMatchObject({ outcome: 'failed', reason });
  expect(JSON.stringify(result)).not.toContain('127.0.0.1');
  const isEarly = phase === 'before the request' || (phase === 'on accept' && !isTls);
  if (isEarly && !ENDS.has(trouble)) {
    expect(result, trouble).toMatchObject({ status: 502, reason: EARLY });
    expect(requests, trouble).toBe(0);
  }
  if (trouble === 'silence') expect(result).toMatchObject({ status: 504 });
}

async function callHostile(cell: Cell, good: CameraServer): Promise<void> {
  const { isTls, phase, trouble } = cell;
  const hostile = await startHostileCamera(phase, trouble, isTls);
  // Short where the deadline ends the call.
  const timeoutMs = isFrame(cell) ? 20_000 : 300;
  const isPrepared = !(isTls && phase === 'on accept') && !/TLS|certificate/.test(phase);
  const startAllowanceMs = isPrepared ? 20_000 : 500;
  const camera = testCamera(
    `${isTls ? 'https' : 'http'}://127.0.0.1:${hostile.port}/`,
    testSource({ timeoutMs, startAllowanceMs, tls: { insecure: true } }),
  );
  const prepared = await prepareCameraCall(camera, startAllowanceMs, neverAborted);
  let result: Capture | PrepareResult = prepared;
  if (prepared.outcome === 'connected') {
    hostile.strike();
    if (phase === 'on accept' || phase === 'before the request') {
      await hostile.troubled;
      // Lets the data arrive, which takes some turns of the event loop over TLS.
      for (let n = 0; n < 5; n += 1) await good.roundTrip();
    }
    result = await prepared.call.send(neverAborted);
  }
  await hostile.allClosed();
  // This machine was too busy, which says nothing about the camera.
  if (result.outcome === 'late') return await callHostile(cell, good);
  expectOutcome(result, hostile.requests, cell);
}

describe('a hostile camera costs only its own call, whatever it does', () => {
  it.each(rows)('$phase (TLS: $isTls)', async (row) => {
    const good = await startCamera((socket) => socket.write(ok(jpeg)));
    const troubles = Object.keys(TROUBLES) as TroubleName[];
    await Promise.all(troubles.map((trouble) => callHostile({ ...row, trouble }, good)));
    const frame = await call(good, cameraAt(good, { timeoutMs: 20_000 }));
    expect(frame).toMatchObject({ outcome: 'captured' });
  });
});
