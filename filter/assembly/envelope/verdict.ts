/** The outcome of a check: what is wrong with the bytes, and apart from it what is wrong at this moment. */
import { Code } from "../gen/codes";

@final
export class Verdict {
  /** The first fault; with `deferTime` the first that is a pure function of bytes, pin and recipient. */
  code: Code = Code.OK;
  where: string = "";
  /** With `deferTime`: the first fault that depends on the clock or the state. */
  timeCode: Code = Code.OK;
  timeWhere: string = "";

  constructor(private readonly deferTime: bool) {}

  /** Records a fault; whether checking goes on. */
  allows(code: Code, where: string): bool {
    if (code == Code.OK) return true;
    this.code = code;
    this.where = where;
    return false;
  }

  /** Like `allows`, for faults that depend on the clock or the state. */
  allowsNow(code: Code, where: string): bool {
    if (code == Code.OK || !this.deferTime) return this.allows(code, where);
    if (this.timeCode == Code.OK) {
      this.timeCode = code;
      this.timeWhere = where;
    }
    return true;
  }
}
