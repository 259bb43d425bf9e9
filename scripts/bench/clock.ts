/** One clock for all processes of a machine: the monotonic one of the system. */

/** Microseconds. */
export const clock = (): number => Number(process.hrtime.bigint() / 1000n);

/** Something that happened to an event of a call. */
export interface Moment {
  readonly session_uuid: string;
  readonly sequence: number;
  /** By {@link clock}. */
  readonly at: number;
}
