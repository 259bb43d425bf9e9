/** Runs before anything is painted. Without a choice the system's holds. */
import { chosenTheme, show } from "./themes";

show(chosenTheme());
