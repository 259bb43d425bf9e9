/** What a caller is asked for, what he keys, and what comes of it. */
import type { JsonObject } from "../ground/client";

/** A caller who is given this much time has keyed all that he will. */
const patientMs = 8000;

export interface Asked {
  readonly id: string;
  readonly title: string;
  /** What the caller keys. */
  readonly keys: string;
  readonly rules: JsonObject;
  readonly digits: string;
  readonly terminator: string | null;
  readonly status: "success" | "timeout" | "failure";
}

export const questions: readonly Asked[] = [
  {
    id: "terminator",
    title: "A terminator ends the input and is no part of it",
    keys: "12#",
    rules: { max_digits: 5, timeout_ms: patientMs },
    digits: "12",
    terminator: "#",
    status: "success",
  },
  {
    id: "full",
    title: "As many digits as there may be end the input, without a terminator",
    keys: "123",
    rules: { min_digits: 3, max_digits: 3, timeout_ms: patientMs },
    digits: "123",
    terminator: null,
    status: "success",
  },
  {
    id: "one",
    title: "Without rules one digit is asked for",
    keys: "7",
    rules: {},
    digits: "7",
    terminator: null,
    status: "success",
  },
  {
    id: "own-terminators",
    title: "Only the terminators that were named end the input",
    keys: "1#D",
    rules: { max_digits: 5, terminators: "*D", timeout_ms: patientMs },
    digits: "1#",
    terminator: "D",
    status: "success",
  },
  {
    id: "no-terminators",
    title: "Without terminators each key is a digit",
    keys: "*#",
    rules: { max_digits: 2, terminators: "", timeout_ms: patientMs },
    digits: "*#",
    terminator: null,
    status: "success",
  },
  {
    id: "time-with-enough",
    title: "Input that time ends is a success when it has enough digits",
    keys: "12",
    rules: { min_digits: 2, max_digits: 5, timeout_ms: patientMs, digit_timeout_ms: 1500 },
    digits: "12",
    terminator: null,
    status: "success",
  },
  {
    id: "time-with-too-few",
    title: "Input that time ends is a failure when it has too few digits",
    keys: "12",
    rules: { min_digits: 3, max_digits: 5, timeout_ms: patientMs, digit_timeout_ms: 1500 },
    digits: "12",
    terminator: null,
    status: "failure",
  },
  {
    id: "too-few",
    title: "A terminator that comes before there are enough digits makes a failure",
    keys: "1#",
    rules: { min_digits: 3, max_digits: 5, timeout_ms: patientMs },
    digits: "1",
    terminator: "#",
    status: "failure",
  },
  {
    id: "expression",
    title: "Input that matches the expression is a success",
    keys: "42#",
    rules: { max_digits: 5, digits_regex: "4[0-9]", timeout_ms: patientMs },
    digits: "42",
    terminator: "#",
    status: "success",
  },
  {
    id: "other-expression",
    title: "Input that does not match the expression is a failure",
    keys: "12#",
    rules: { max_digits: 5, digits_regex: "9[0-9]", timeout_ms: patientMs },
    digits: "12",
    terminator: "#",
    status: "failure",
  },
  {
    id: "expression-of-all",
    title: "The expression must match the whole input",
    keys: "142#",
    rules: { max_digits: 5, digits_regex: "4|14|42", timeout_ms: patientMs },
    digits: "142",
    terminator: "#",
    status: "failure",
  },
  {
    id: "silence",
    title: "No digit at all is a timeout",
    keys: "",
    rules: { max_digits: 5, timeout_ms: 500 },
    digits: "",
    terminator: null,
    status: "timeout",
  },
  {
    id: "silence-twice",
    title: "No digit in the last of several tries is a timeout",
    keys: "",
    rules: { max_digits: 5, max_tries: 2, timeout_ms: 300 },
    digits: "",
    terminator: null,
    status: "timeout",
  },
  {
    id: "second-try",
    title: "A second try may succeed where the first did not",
    keys: "1#22#",
    rules: { min_digits: 2, max_digits: 5, max_tries: 2, timeout_ms: patientMs },
    digits: "22",
    terminator: "#",
    status: "success",
  },
  {
    id: "all-tries",
    title: "When all tries failed, the digits of the last one are told",
    keys: "1#2#",
    rules: { min_digits: 2, max_digits: 5, max_tries: 2, timeout_ms: patientMs },
    digits: "2",
    terminator: "#",
    status: "failure",
  },
];
