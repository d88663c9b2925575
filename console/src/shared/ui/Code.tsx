import { useId } from "react";
import { CopyButton } from "./CopyButton";

/** A block of text to copy as it is: an example, a secret, a file. */
export function Code({ label, text }: { label: string; text: string }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="overflow-hidden rounded-card border border-line bg-s2">
      <header className="flex items-center justify-between gap-2 border-b border-line py-1 ps-3 pe-1">
        <span id={id} className="text-label font-medium text-t2">
          {label}
        </span>
        <CopyButton text={text} />
      </header>
      <pre tabIndex={0} className="overflow-x-auto px-3 py-2.5 font-mono text-dense text-t1 -outline-offset-2">
        <code>{text}</code>
      </pre>
    </section>
  );
}
