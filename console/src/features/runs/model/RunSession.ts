import type { StreamEvent } from "@/shared/api/events";
import { Problem } from "@/shared/api/problem";
import { breakRun, closeRun, initialRun, isLive, type RunState, reduceRun, stopRun } from "./runState";

/** How long the page waits, after Stop, for the figures of what was done so far. */
const FAREWELL_MS = 3000;
const HIDDEN_FLUSH_MS = 250;

/** What a session asks of the outside: the event stream, and a way to stop the task behind it. */
export type RunTransport = {
  open: (options: { signal: AbortSignal; onEvent: (event: StreamEvent) => void }) => Promise<void>;
  stop: (taskId: string) => Promise<unknown>;
};

/**
 * One run as a page follows it. Events change the state at once; whoever listens is told once per animation frame,
 * so that fast streams cost one render each frame.
 */
export class RunSession {
  readonly #transport: RunTransport;
  readonly #listeners = new Set<() => void>();
  readonly #abort = new AbortController();
  #state: RunState = initialRun;
  #shown: RunState = initialRun;
  #isFlushPlanned = false;
  #isStopSent = false;

  constructor(transport: RunTransport) {
    this.#transport = transport;
  }

  /** The state as last shown; it changes only when listeners are told. */
  readonly snapshot = (): RunState => this.#shown;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Reads the stream to its end; resolves with the last state and never rejects. */
  async follow(onEvent?: (state: RunState, event: StreamEvent) => void): Promise<RunState> {
    try {
      await this.#transport.open({
        signal: this.#abort.signal,
        onEvent: (event) => {
          this.#set(reduceRun(this.#state, event));
          this.#sendStop();
          onEvent?.(this.#state, event);
        },
      });
      this.#set(closeRun(this.#state));
    } catch (error) {
      const isProblem = error instanceof Problem;
      this.#set(
        breakRun(this.#state, {
          message: isProblem ? error.message : "",
          code: isProblem ? error.code : "unexpected",
          nodeTitle: null,
        }),
      );
    }
    this.#flush();
    return this.#state;
  }

  /** The answer stands still at once; the server is told as soon as the task has a name. */
  readonly stop = (): void => {
    if (!isLive(this.#state)) return;
    this.#set(stopRun(this.#state));
    this.#flush();
    this.#sendStop();
    setTimeout(() => this.#abort.abort(), FAREWELL_MS);
  };

  #sendStop(): void {
    const { status, taskId } = this.#state;
    if (status !== "stopped" || this.#isStopSent || !taskId) return;
    this.#isStopSent = true;
    // A refused stop means that the run is already over.
    this.#transport.stop(taskId).catch(() => undefined);
  }

  #set(state: RunState): void {
    if (state === this.#state) return;
    this.#state = state;
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    // Hidden pages get no animation frames.
    if (typeof document === "undefined" || document.hidden) setTimeout(this.#flush, HIDDEN_FLUSH_MS);
    else requestAnimationFrame(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isFlushPlanned = false;
    if (this.#shown === this.#state) return;
    this.#shown = this.#state;
    for (const listener of this.#listeners) listener();
  };
}
