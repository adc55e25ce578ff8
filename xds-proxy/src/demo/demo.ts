/**
 * The demo: a namespace owner's policies travel through a control plane that nobody trusts into a real Envoy, which
 * enforces them; then the control plane turns hostile. Every line on the screen was measured, not told.
 */
import { randomBytes } from "node:crypto";
import { ExchangeKey } from "../crypto/ecdh-p256.ts";
import { SigningKey } from "../crypto/ecdsa-p256.ts";
import { keyIdOf } from "../crypto/sha256.ts";
import type { Recipient } from "../envelope/types.ts";
import { InternalError } from "../errors.ts";
import type { SignedBundle } from "../owner/publish.ts";
import type { NamespaceBundle } from "../owner/bundle.ts";
import type { Source } from "../owner/objects.ts";
import { ATTACKS, type Attack, type Loot } from "./attacks.ts";
import { findEnvoy } from "./envoy-binary.ts";
import { DemoOwner, newOwnerKeys, type Policies } from "./demo-owner.ts";
import { Scenario, type Outcome, type Probe } from "./scenario.ts";
import { ownStory, storyOf, type Story } from "./story.ts";
import { Table, type Screen } from "./table.ts";

export interface DemoOptions {
  readonly screen: Screen;
  /** For what takes long. */
  readonly onProgress: (message: string) => void;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** A person's own policies. */
  readonly policies?: readonly Source[];
  /** What the hostile control plane tries; all of `ATTACKS` when absent. */
  readonly attacks?: readonly Attack[];
  /** Runs while everything still stands, after the last step. */
  readonly whileRunning?: (scenario: Scenario, story: Story) => Promise<void>;
}

/** @returns whether all went as it should */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const story = options.policies === undefined ? ownStory() : storyOf(options.policies);
  const envoy = await findEnvoy(options);
  const play = await Play.start(options, story, envoy);
  try {
    await play.honestDelivery();
    await play.hostileControlPlane(options.attacks ?? ATTACKS);
    await play.rotation();
    const right = play.conclude();
    await options.whileRunning?.(play.scenario, story);
    return right;
  } finally {
    await play.scenario.stop();
  }
}

class Play {
  readonly scenario: Scenario;
  readonly #table: Table;
  readonly #story: Story;
  readonly #owner: DemoOwner;
  readonly #policies: Omit<Policies, "plain">;

  private constructor(parts: {
    scenario: Scenario;
    table: Table;
    story: Story;
    owner: DemoOwner;
    policies: Omit<Policies, "plain">;
  }) {
    this.scenario = parts.scenario;
    this.#table = parts.table;
    this.#story = parts.story;
    this.#owner = parts.owner;
    this.#policies = parts.policies;
  }

  static async start({ screen, signal }: DemoOptions, story: Story, envoy: string): Promise<Play> {
    const table = new Table(screen);
    const owner = await DemoOwner.create(story.namespace);
    const recipient: Recipient = { key: ExchangeKey.generate(), auth: randomBytes(16) };
    const { namespace, app } = story;
    table.chapter(`The owner of ${namespace}`);
    table.tell(
      `makes keys: root ${keyIdOf(owner.keys.root.publicKey)}, cfg ${keyIdOf(owner.keys.cfg.publicKey)}, fresh ${keyIdOf(owner.keys.fresh.publicKey)}`,
    );
    table.tell(`signs root 1, and pins it in the module: ${owner.pin.roots[namespace] ?? ""}`);
    const scenario = await Scenario.start({ envoy, namespace, app, pin: owner.pin, recipient, signal });
    const policies = { sealed: story.sealed, recipients: [{ p256dh: recipient.key.publicKey, auth: recipient.auth }] };
    return new Play({ scenario, table, story, owner, policies });
  }

  async honestDelivery(): Promise<void> {
    const { first, second, sealed, app } = this.#story;
    this.#table.tell(`signs ${namesOf(first)}, seals ${namesOf(sealed)} for the workloads of ${app}`);
    this.#table.chapter("The control plane carries it");
    this.#table.head();
    await this.#believed("the owner's first set", await this.#publish(first), "first");
    await this.#believed("the owner's second set", await this.#publish(second), "second");
  }

  async hostileControlPlane(attacks: readonly Attack[]): Promise<void> {
    const [old, current] = this.#carried;
    if (old === undefined || current === undefined) throw new InternalError("two sets are needed");
    const loot: Loot = { old, current, freshKey: this.#owner.keys.fresh, ns: this.#story.namespace };
    this.#table.chapter("The control plane turns hostile");
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

  conclude(): boolean {
    const { count, wrongCount } = this.#table;
    this.#table.chapter(
      wrongCount === 0 ? `All ${count} steps went as they should.` : `${wrongCount} of ${count} steps went wrong.`,
    );
    this.#table.tell(
      "Not shown, because the filter can not stop it: a control plane that takes the filter away (SECURITY.md).",
    );
    return wrongCount === 0;
  }

  async #publish(plain: Policies["plain"]): Promise<SignedBundle> {
    return await this.#owner.publish({ ...this.#policies, plain });
  }

  /** Delivers what must take effect, and shows each request. */
  async #believed(what: string, bundle: SignedBundle, version: "first" | "second"): Promise<void> {
    const { requests } = this.#story;
    const { answer, codes } = await this.scenario.deliver(bundle, false);
    this.#carried.push(bundle);
    this.#inForce = requests.map(({ method, path, expected }) => ({ method, path, status: expected[version] }));
    const seen = await this.scenario.probe(this.#inForce, { settle: false });
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
        envoy: `${status}${VERDICTS.get(status) ?? ""}`,
        note: right ? because?.[version] : undefined,
        right,
        wrong: `should be ${expected?.[version] ?? "nothing"}`,
      });
    });
  }

  /** Everything that went through the control plane and was believed, oldest first. */
  readonly #carried: SignedBundle[] = [];
  /** What requests must be answered now. */
  #inForce: readonly Probe[] = [];

  /** Delivers what must be refused by this name, and change nothing. */
  async #attack({ what, code }: Pick<Attack, "what" | "code">, bundle: NamespaceBundle): Promise<void> {
    const { answer, codes } = await this.scenario.deliver(bundle, true);
    const seen = await this.scenario.probe(this.#inForce, { settle: true });
    const same = seen.filter(({ status }, index) => status === this.#inForce[index]?.status).length;
    const named = codes.length === 1 && codes[0] === code;
    this.#table.step({
      ...{ what, envoy: ENVOY_DID[answer], code: codes.join(" ") },
      requests: `${same} of ${seen.length} as before`,
      right: named && same === seen.length,
      wrong: `should be refused with ${code} and change nothing`,
    });
  }
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
