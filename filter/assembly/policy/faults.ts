import { Code } from "../gen/codes";

/** The first fault of a document; later ones are not looked at. */
@final
export class Faults {
  code: Code = Code.OK;
  where: string = "";

  get none(): bool {
    return this.code == Code.OK;
  }

  payload(where: string): void {
    this.note(Code.PAYLOAD, where);
  }

  unsupported(where: string): void {
    this.note(Code.UNSUPPORTED, where);
  }

  /** Returns `holds`, and notes PAYLOAD when it does not. */
  payloadUnless(holds: bool, where: string): bool {
    if (!holds) this.payload(where);
    return holds;
  }

  private note(code: Code, where: string): void {
    if (this.code != Code.OK) return;
    this.code = code;
    this.where = where;
  }
}
