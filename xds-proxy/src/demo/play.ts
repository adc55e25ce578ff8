/** The play that every demo shows, whatever its stage: an owner publishes, a carrier delivers, and then turns hostile. */
import { randomBytes } from "node:crypto";
import { ExchangeKey } from "../crypto/ecdh-p256.ts";
import { SigningKey } from "../crypto/ecdsa-p256.ts";
import { keyIdOf } from "../crypto/sha256.ts";
import type { Recipient } from "../envelope/types.ts";
import { InternalError } from "../errors.ts";
import type { NamespaceBundle } from "../owner/bundle.ts";
import type { SignedBundle } from "../owner/publish.ts";
import type { Attack, Loot } from "./attacks.ts";
import { DemoOwner, newOwnerKeys, type Policies } from "./demo-owner.ts";
import type { Outcome, Probe, Stage } from "./stage.ts";
import type { Story } from "./story.ts";
import type { Table } from "./table.ts";

export interface Cast {
  readonly owner: DemoOwner;
  /** The workloads that sealed policies are for. */
  readonly recipient: Recipient;
}

/** The owner and what it has before anything runs. */
export async function introduce(table: Table, { namespace }: Story): Promise<Cast> {
  const owner = await DemoOwner.create(namespace);
  const { root, cfg, fresh } = owner.keys;
  table.chapter(`The owner of ${namespace}`);
  table.tell(
    `makes keys: root ${keyIdOf(root.publicKey)}, cfg ${keyIdOf(cfg.publicKey)}, fresh ${keyIdOf(fresh.publicKey)}`,
  );
  table.tell(`signs root 1, and pins it in the module: ${owner.pin.roots[namespace] ?? ""}`);
  return { owner, recipient: { key: ExchangeKey.generate(), auth: randomBytes(16) } };
}

export interface PlayOptions {
  readonly table: Table;
  readonly story: Story;
  readonly cast: Cast;
  readonly stage: Stage;
}

export class Play {
  readonly #table: Table;
  readonly #story: Story;
  readonly #stage: Stage;
  readonly #owner: DemoOwner;
  readonly #policies: Omit<Policies, "plain">;
  /** Everything that was delivered and believed, oldest first. */
  readonly #carried: SignedBundle[] = [];
  /** What requests must be answered now. */
  #inForce: readonly Probe[] = [];

  constructor({ table, story, cast, stage }: PlayOptions) {
    const { key, auth } = cast.recipient;
    this.#table = table;
    this.#story = story;
    this.#stage = stage;
    this.#owner = cast.owner;
    this.#policies = { sealed: story.sealed, recipients: [{ p256dh: key.publicKey, auth }] };
  }

  async honestDelivery(title: string): Promise<void> {
    const { first, second, sealed, app } = this.#story;
    this.#table.tell(`signs ${namesOf(first)}, seals ${namesOf(sealed)} for the workloads of ${app}`);
    this.#table.chapter(title);
    this.#table.head();
    await this.#believed("the owner's first set", await this.#publish(first), "first");
    await this.#believed("the owner's second set", await this.#publish(second), "second");
  }

  async hostileCarrier(title: string, attacks: readonly Attack[]): Promise<void> {
    const [old, current] = this.#carried;
    if (old === undefined || current === undefined) throw new InternalError("two sets are needed");
    const loot: Loot = { old, current, freshKey: this.#owner.keys.fresh, ns: this.#story.namespace };
    this.#table.chapter(title);
    this.#table.head();
    for (const attack of attacks) await this.#attack(attack, await attack.forge(loot));
  }

  async rotation(): Promise<void> {
    const { first, second } = this.#story;
    const stolen = this.#owner.keys;
    const before = this.#owner.bundle;
    this.#table.chapter("The owner replaces the cfg key, which may be stolen");
    this.#table.head();
    await this.#owner.rotate({ ...stolen, cfg: SigningKey.generate(), fresh: newOwnerKeys().fresh });
    await this.#believed("root 2 and a set under the new key", await this.#publish(second), "second");
    const forged = await this.#owner.signBundle({ ...this.#policies, plain: first }, stolen);
    await this.#attack({ what: "signs with the old cfg key", code: "KEY_UNKNOWN" }, forged);
    await this.#attack({ what: "hides root 2", code: "ROLLBACK" }, before);
    await this.#believed("and the owner goes on: the first set again", await this.#publish(first), "first");
  }

  /** Says how it went, and what was left out. */
  conclude(leftOut: string): boolean {
    const { count, wrongCount } = this.#table;
    this.#table.chapter(
      wrongCount === 0 ? `All ${count} steps went as they should.` : `${wrongCount} of ${count} steps went wrong.`,
    );
    this.#table.tell(leftOut);
    return wrongCount === 0;
  }

  async #publish(plain: Policies["plain"]): Promise<SignedBundle> {
    return await this.#owner.publish({ ...this.#policies, plain });
  }

  /** Delivers what must take effect, and shows each request. */
  async #believed(what: string, bundle: SignedBundle, version: "first" | "second"): Promise<void> {
    const { requests } = this.#story;
    const { answer, codes } = await this.#stage.deliver(bundle, false);
    this.#carried.push(bundle);
    this.#inForce = requests.map(({ method, path, expected }) => ({ method, path, status: expected[version] }));
    const seen = await this.#stage.probe(this.#inForce, { settle: false });
    const right = answer === "ACK" && codes.length === 0;
    this.#table.step({
      what,
      envoy: right ? "takes it" : ENVOY_DID[answer],
      code: codes.join(" "),
      right,
      wrong: "should be taken",
    });
    seen.forEach(({ method, path, status }, index) => {
      const { expected, because } = requests[index] ?? { expected: undefined, because: undefined };
      const right = status === expected?.[version];
      this.#table.step({
        what: `  ${method} ${path}`,
        envoy: verdictOf(status),
        note: right ? because?.[version] : undefined,
        right,
        wrong: `should be ${expected?.[version] ?? "nothing"}`,
      });
    });
  }

  /** Delivers what must be refused by this name, and change nothing. */
  async #attack({ what, code }: Pick<Attack, "what" | "code">, bundle: NamespaceBundle): Promise<void> {
    const { answer, codes } = await this.#stage.deliver(bundle, true);
    const { same, requests } = await this.unchanged();
    const named = codes.length === 1 && codes[0] === code;
    this.#table.step({
      ...{ what, envoy: ENVOY_DID[answer], code: codes.join(" "), requests },
      right: named && same,
      wrong: `should be refused with ${code} and change nothing`,
    });
  }

  /** Whether requests are still answered as before. */
  async unchanged(): Promise<{ readonly same: boolean; readonly requests: string }> {
    const seen = await this.#stage.probe(this.#inForce, { settle: true });
    const same = seen.filter(({ status }, index) => status === this.#inForce[index]?.status).length;
    return { same: same === seen.length, requests: `${same} of ${seen.length} as before` };
  }
}

/** A status and what it means. */
export function verdictOf(status: number): string {
  return `${status}${VERDICTS.get(status) ?? ""}`;
}

const ENVOY_DID: Readonly<Record<Outcome["answer"], string>> = {
  NACK: "refuses it (NACK)",
  ACK: "keeps the newer one",
};

const VERDICTS: ReadonlyMap<number, string> = new Map([
  [200, " allowed"],
  [400, " refused"],
  [403, " denied"],
  [500, " closed"],
  [503, " closed"],
]);

function namesOf(objects: Policies["plain"]): string {
  return objects.map(({ name }) => name).join(", ");
}
