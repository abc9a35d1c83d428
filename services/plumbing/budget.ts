/** Bytes of answers that are being put together, of all queries of this process. */
export class Budget {
  #used = 0;

  /** @param limit Bytes in all. */
  constructor(readonly limit: number) {}

  get used(): number {
    return this.#used;
  }

  take(bytes: number): boolean {
    if (this.#used + bytes > this.limit) return false;
    this.#used += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#used -= bytes;
  }
}
