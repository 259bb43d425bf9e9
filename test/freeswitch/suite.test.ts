/** FreeSWITCH as recorded, held to what every engine must do. */
import { engineSuite } from "../engine/suite";
import { openReplayed } from "./place";

engineSuite("FreeSWITCH, replayed", () => openReplayed());
