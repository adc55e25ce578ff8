/** A set of numbers other than 0, for ids that a host counts upwards: neighbours have slots of their own, so a look-up is one
 *  step, and coming and going allocates nothing. Open addressing with linear probing. */
@final
export class IdSet {
  private slots: StaticArray<u32> = new StaticArray<u32>(64);
  private count: i32 = 0;

  has(id: u32): bool {
    return id != 0 && this.slots[this.slotOf(id)] == id;
  }

  add(id: u32): void {
    if (id == 0 || this.has(id)) return;
    if (++this.count * 2 > this.slots.length) this.grow();
    this.slots[this.slotOf(id)] = id;
  }

  /** Whether it was there. */
  delete(id: u32): bool {
    const hole = this.slotOf(id);
    if (id == 0 || this.slots[hole] != id) return false;
    this.count--;
    this.slots[hole] = 0;
    // What had to give way to `id` moves up, so that no search ends at the hole before it.
    for (let slot = this.after(hole); this.slots[slot] != 0; slot = this.after(slot)) {
      const moved = this.slots[slot];
      this.slots[slot] = 0;
      this.slots[this.slotOf(moved)] = moved;
    }
    return true;
  }

  /** Where `id` is, or the empty slot where it belongs. */
  private slotOf(id: u32): i32 {
    let slot = <i32>(id & (<u32>(this.slots.length - 1)));
    while (this.slots[slot] != id && this.slots[slot] != 0) slot = this.after(slot);
    return slot;
  }

  private after(slot: i32): i32 {
    return (slot + 1) & (this.slots.length - 1);
  }

  private grow(): void {
    const before = this.slots;
    this.slots = new StaticArray<u32>(before.length * 2);
    for (let i = 0; i < before.length; i++) if (before[i] != 0) this.slots[this.slotOf(before[i])] = before[i];
  }
}
