import { lazy } from "react";

export { appQuery } from "./api";

/** Loaded when shown: the import and its dialogs are not needed to draw a first page. */
export const NewApp = lazy(async () => ({ default: (await import("./list/NewApp")).NewApp }));
