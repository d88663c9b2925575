import { useMemo, useState } from "react";
import { useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { CopyButton } from "@/shared/ui/CopyButton";
import { cutText, textOfValue } from "../model/pages";

/** One named value, with a button that copies all of it. Long ones open page by page. */
export function ValueView({ name, value }: { name: string; value: unknown }) {
  const t = useText();
  const [pages, setPages] = useState(1);
  const text = useMemo(() => textOfValue(value), [value]);
  const { text: shown, isCut } = useMemo(() => cutText(text, pages), [text, pages]);
  return (
    <div className="overflow-hidden rounded-card border border-line bg-s1">
      <div className="flex h-8 items-center justify-between gap-2 border-b border-line bg-s2 ps-3 pe-1">
        <span className="truncate font-mono text-label text-t2" title={name}>
          {name}
        </span>
        <CopyButton text={text} label={t("runs.value.copy", { name })} isIcon />
      </div>
      <section tabIndex={0} aria-label={name} className="max-h-80 overflow-auto -outline-offset-2">
        {shown === "" ? (
          <p className="px-3 py-2 text-dense text-t3">{t("runs.value.empty")}</p>
        ) : (
          <pre className="px-3 py-2 font-mono text-dense wrap-anywhere whitespace-pre-wrap text-t1">{shown}</pre>
        )}
      </section>
      {isCut && (
        <div className="border-t border-line p-1">
          <Button size="compact" look="quiet" onClick={() => setPages(pages + 1)}>
            {t("runs.value.more")}
          </Button>
        </div>
      )}
    </div>
  );
}

const SHORT_CHARS = 60;

function isShort(value: unknown): boolean {
  if (typeof value === "string") return value.length <= SHORT_CHARS && !value.includes("\n");
  if (Array.isArray(value)) return value.length === 0;
  return typeof value !== "object" || value === null || Object.keys(value).length === 0;
}

/** The values of an object: short ones as a table, long ones in a box each. */
export function ValueList({ values, empty }: { values: Readonly<Record<string, unknown>> | null; empty: string }) {
  const entries = Object.entries(values ?? {});
  if (entries.length === 0) return <p className="text-dense text-t3">{empty}</p>;
  const short = entries.filter(([, value]) => isShort(value));
  const long = entries.filter(([, value]) => !isShort(value));
  return (
    <div className="flex flex-col gap-3">
      {long.map(([name, value]) => (
        <ValueView key={name} name={name} value={value} />
      ))}
      {short.length > 0 && <ShortValues entries={short} />}
    </div>
  );
}

function ShortValues({ entries }: { entries: readonly (readonly [string, unknown])[] }) {
  const t = useText();
  return (
    <dl className="overflow-hidden rounded-card border border-line bg-s1 font-mono text-dense">
      {entries.map(([name, value]) => {
        const text = textOfValue(value);
        return (
          <div
            key={name}
            className="grid grid-cols-[minmax(0,2fr)_minmax(0,3fr)] gap-3 border-t border-line px-3 py-1.5 first:border-t-0"
          >
            <dt className="truncate text-t2" title={name}>
              {name}
            </dt>
            <dd className={text === "" ? "font-sans text-t3" : "wrap-anywhere text-t1"}>
              {text || t("runs.value.empty")}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
