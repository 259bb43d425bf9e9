/** How far the gateway's clock is from this one, by the Date of its answers. */

export class Clock {
  #least = Number.NEGATIVE_INFINITY;

  /**
   * @param date as it stands in an answer (RFC 9110, section 6.6.1): whole seconds
   * @param ended when the answer had come, epoch milliseconds
   */
  saw(date: string | undefined, ended: number): void {
    const told = Date.parse(date ?? "");
    // What is told is never ahead of the clock, and behind it by a second, the way, and a gateway that has much to do.
    if (!Number.isNaN(told)) this.#least = Math.max(this.#least, told - ended);
  }

  /**
   * Its time less ours in milliseconds: never too much, and too little by a second at most; null when it has told none.
   * Of several clocks behind one address it is the one that is ahead.
   */
  get offset(): number | null {
    return Number.isFinite(this.#least) ? this.#least : null;
  }
}
