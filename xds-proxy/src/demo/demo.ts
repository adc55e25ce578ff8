/**
 * The demo: a namespace owner's policies travel through a control plane that nobody trusts into a real Envoy, which
 * enforces them; then the control plane turns hostile. Every line on the screen was measured, not told.
 */
import type { Source } from "../owner/objects.ts";
import { ATTACKS, type Attack } from "./attacks.ts";
import { findEnvoy } from "./envoy-binary.ts";
import { introduce, Play } from "./play.ts";
import { Scenario } from "./scenario.ts";
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
  const { signal } = options;
  const story = options.policies === undefined ? ownStory() : storyOf(options.policies);
  const envoy = await findEnvoy(options);
  const table = new Table(options.screen);
  const cast = await introduce(table, story);
  const { namespace, app } = story;
  const { owner, recipient } = cast;
  const stage = await Scenario.start({ envoy, namespace, app, pin: owner.pin, recipient, signal });
  try {
    const play = new Play({ table, story, cast, stage });
    await play.honestDelivery("The control plane carries it");
    await play.hostileCarrier("The control plane turns hostile", options.attacks ?? ATTACKS);
    await play.rotation();
    const right = play.conclude(
      "Not shown, because the filter can not stop it: a control plane that takes the filter away (SECURITY.md).",
    );
    await options.whileRunning?.(stage, story);
    return right;
  } finally {
    await stage.stop();
  }
}
