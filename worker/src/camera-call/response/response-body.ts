import { messageOf } from '@lastframe/shared/process/errors';
import type { ByteShare } from '../byte-budget.ts';
import type { Fields } from '../header-fields.ts';
import type { BodyReader } from './body-reader.ts';
import { type Decoder, decoderFor } from './content-coding.ts';
import { type BodyFraming, framingOf } from './framing.ts';
import { createImageReader } from './image-reader.ts';
import { createMultipartReader, isMultipart } from './multipart-reader.ts';
import { type BodyResult, badResponse, NO_ROOM, tooLarge } from './read-result.ts';
import type { ResponseGuard } from './response-guard.ts';

export interface BodyOptions {
  maxBytes: number;
  /** Whether a JPEG may lack its end marker. */
  acceptTruncated: boolean;
  /** Opens the call's share of the byte budget; `evict` is called when it must make room. */
  openShare: (evict: () => void) => ByteShare;
  guard: Pick<ResponseGuard, 'countBody'>;
}

/** How long an image that is longer than its Content-Length may take to arrive. */
const OVERRUN_WAIT_MS = 1000;

const BAD_CHUNKS = badResponse(
  "the camera's response has invalid chunks (Transfer-Encoding)",
  'http_protocol_error',
);
const BAD_CODING = badResponse(
  'the camera sent a compressed body that cannot be decompressed',
  'http_response_content_coding',
);

/** A fault of ours must not hold up the call until its deadline. */
function unreadable(error: unknown): BodyResult {
  return badResponse(`the image could not be read: ${messageOf(error)}`, 'proxy_internal_error');
}

/**
 * The body of a response: takes the bytes out of their framing, decompresses them, and looks for an
 * image. It settles as soon as the image is whole, whatever the framing says.
 */
export class ResponseBody {
  readonly #fields: Fields;
  readonly #options: BodyOptions;
  readonly #settle: (result: BodyResult) => void;
  readonly #framing: BodyFraming;
  readonly #share: ByteShare;
  readonly #image: BodyReader;
  #decoder: Decoder | undefined;
  #overrun: NodeJS.Timeout | undefined;
  #receivedBytes = 0;
  /** Whether all that the framing announced has arrived. */
  #isComplete = false;
  #isSettled = false;

  /** @param settle called once */
  constructor(fields: Fields, options: BodyOptions, settle: (result: BodyResult) => void) {
    this.#fields = fields;
    this.#options = options;
    this.#settle = settle;
    this.#framing = framingOf(fields);
    this.#share = options.openShare(() => this.#finish(NO_ROOM));
    const { maxBytes } = options;
    const isStream = isMultipart(fields['content-type']);
    // The length of a stream says nothing about its images.
    const announcedBytes = isStream ? 0 : (this.#framing.announcedBytes ?? 0);
    if (announcedBytes > maxBytes) this.#finish(tooLarge(maxBytes));
    // At once: otherwise many large bodies would be read in part, and none would find room.
    else if (!this.#share.reserve(announcedBytes)) this.#finish(NO_ROOM);
    const limits = { maxBytes, share: this.#share };
    this.#image = isStream
      ? createMultipartReader(limits)
      : createImageReader(limits, this.#isSettled ? 0 : announcedBytes);
  }

  read(piece: Buffer): void {
    // Behind the last chunk come trailers; a decoder may still be busy with the image.
    const isOver = this.#isComplete && this.#overrun === undefined;
    if (this.#isSettled || isOver) return;
    const state = this.#framing.read(piece, (bytes) => this.#readBytes(bytes));
    if (state === 'invalid') this.#finish(BAD_CHUNKS);
    if (state !== 'end' || this.#isComplete) return;
    this.#isComplete = true;
    if (this.#receivedBytes > 0 && this.#framing.announcedBytes !== undefined) {
      this.#overrun = setTimeout(() => this.#endBytes(), OVERRUN_WAIT_MS);
    } else this.#endBytes();
  }

  /** The connection has ended; `isClean` unless it was reset. */
  end(isClean: boolean): void {
    this.#isComplete ||= isClean && this.#framing.endsWithConnection;
    this.#endBytes();
  }

  close(): void {
    clearTimeout(this.#overrun);
    this.#decoder?.destroy();
  }

  #readBytes(bytes: Buffer): void {
    this.#options.guard.countBody(bytes.length);
    if (this.#receivedBytes === 0) this.#decoder = this.#openDecoder(bytes);
    this.#receivedBytes += bytes.length;
    const { maxBytes } = this.#options;
    if (!this.#decoder) this.#readImage(bytes);
    else if (this.#receivedBytes > maxBytes) this.#finish(tooLarge(maxBytes));
    // Compressed bytes may wait for the decoder.
    else if (!this.#share.reserve(bytes.length)) this.#finish(NO_ROOM);
    else this.#decoder.write(bytes);
  }

  #openDecoder(bytes: Buffer): Decoder | undefined {
    return decoderFor(this.#fields['content-encoding'], bytes[0] ?? 0, {
      onBytes: (decoded) => this.#readImage(decoded),
      onEnd: () => this.#endImage(),
      onFault: () => this.#finish(BAD_CODING),
    });
  }

  /** Runs in an event of the decoder, too, where an exception would be uncaught. */
  #readImage(bytes: Buffer): void {
    if (this.#isSettled) return;
    try {
      const result = this.#image.read(bytes);
      if (result) this.#finish(result);
    } catch (error) {
      this.#finish(unreadable(error));
    }
  }

  #endBytes(): void {
    if (this.#decoder) this.#decoder.end();
    else this.#endImage();
  }

  #endImage(): void {
    if (this.#isSettled) return;
    const acceptTruncated = this.#options.acceptTruncated && this.#isComplete;
    try {
      this.#finish(this.#explainCut(this.#image.end({ acceptTruncated })));
    } catch (error) {
      this.#finish(unreadable(error));
    }
  }

  /** Says so if an image is not whole because the connection ended too early. */
  #explainCut(result: BodyResult): BodyResult {
    const isCut = result.outcome === 'failed' && result.error === 'http_response_incomplete';
    if (!isCut || this.#isComplete) return result;
    const { announcedBytes } = this.#framing;
    const ofAll = announcedBytes === undefined ? '' : ` of ${announcedBytes}`;
    const reason = `the camera closed the connection after ${this.#receivedBytes}${ofAll} bytes of its image`;
    return { ...result, reason };
  }

  #finish(result: BodyResult): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    if (result.outcome === 'read') this.#share.markComplete();
    else this.#share.release();
    this.#settle(result);
  }
}
