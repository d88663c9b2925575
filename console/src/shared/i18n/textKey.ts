import type en from "./locales/en";

type Plural = "zero" | "one" | "two" | "few" | "many" | "other";
type WithoutPlural<K extends string> = K extends `${infer Stem}_${Plural}` ? Stem : K;

type Leaves<T> = {
  [K in keyof T & string]: T[K] extends string ? WithoutPlural<K> : `${K}.${Leaves<T[K]>}`;
}[keyof T & string];

/** Every key of the English catalogue; a key that does not exist does not compile. */
export type TextKey = Leaves<typeof en>;
