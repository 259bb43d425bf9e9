/** What holds for every answer of a run: asked once all of them are there. */
import { Broken, type Check } from "../check";
import { type Answer, maxAnswerBytes } from "./delivery";
import { type ReceiverWorld, said } from "./world";

/** Which of the answers are wrong. */
function none(
  name: string,
  title: string,
  clause: string,
  expected: string,
  wrong: (answer: Answer, world: ReceiverWorld) => boolean,
): Check<ReceiverWorld> {
  return {
    id: `answers/${name}`,
    title,
    clause,
    profile: "minimal",
    last: true,
    async run(world) {
      const found = world.answers.filter((answer) => wrong(answer, world));
      const [first] = found;
      if (!first) return;
      const got = found.length === 1 ? said(first) : `${said(first)}, and ${found.length - 1} more`;
      throw new Broken({ expected, got, exchanges: [first.exchange] });
    },
  };
}

const within = (from: number, { status }: Answer): boolean => status !== null && status >= from && status < from + 100;

export const answers: readonly Check<ReceiverWorld>[] = [
  none(
    "in_time",
    "Every answer comes within five seconds",
    "webhooks: a whole attempt takes at most 5 s",
    "an answer within 5 s",
    ({ status, problem }) => status === null && problem.startsWith("no answer"),
  ),
  none(
    "at_all",
    "Every request is answered",
    "webhooks: 2xx is delivered, anything else is tried again",
    "an answer",
    ({ status, problem }) => status === null && !problem.startsWith("no answer"),
  ),
  none("no_redirect", "Nothing is redirected", "webhooks: redirects are not followed", "no 3xx", (answer) =>
    within(300, answer),
  ),
  none(
    "never_gone",
    "Nothing is answered 410, which turns all webhooks of the app off",
    "webhooks: 410",
    "no 410",
    ({ status }) => status === 410,
  ),
  none(
    "no_failure",
    "Nothing that comes makes the endpoint fail",
    "webhooks: anything but 2xx is tried again",
    "no 5xx",
    (answer) => within(500, answer),
  ),
  none(
    "small",
    "Answers are short and end",
    "webhooks: at most 64 KiB of the answer is read",
    `an answer that ends within 5 s and ${maxAnswerBytes} bytes`,
    ({ status, whole }) => status !== null && !whole,
  ),
  none(
    "no_secret",
    "No answer tells the secret or a right signature",
    "webhooks: signed by a secret that both sides keep",
    "an answer without them",
    ({ text, exchange }, { settings: { secret, oldSecret } }) =>
      [secret, oldSecret].some((each) => each !== null && text.includes(each.replace(/^whsec_/, ""))) ||
      tells(text, exchange.request),
  ),
];

/** Does an answer show a signature that was not sent to it? */
function tells(text: string, { headers }: Answer["exchange"]["request"]): boolean {
  const sent = String(headers["webhook-signature"] ?? "");
  const shown = text.match(/v1,[A-Za-z0-9+/]{43}=/g) ?? [];
  return shown.some((signature) => !sent.includes(signature));
}
