import type { CheckReport } from "@/shared/api/types";
import { isTextKey, useText } from "@/shared/i18n";
import { Notice } from "@/shared/ui/Notice";

type Remark = CheckReport["warnings"][number];

/** Missing models, tools and knowledge have places of their own in the report. */
const SHOWN_ELSEWHERE = /^(?:model|missing_.*)$/;

export function remarksOf(report: CheckReport): Remark[] {
  return report.warnings.filter((warning) => !SHOWN_ELSEWHERE.test(warning.code));
}

/** What was noticed, grouped by kind: the kind in the reader's language, then the server's own sentences. */
export function Remarks({ remarks }: { remarks: readonly Remark[] }) {
  const t = useText();
  const codes = [...new Set(remarks.map((remark) => remark.code))];
  return codes.map((code) => {
    const members = remarks.filter((remark) => remark.code === code);
    const key = `apps.import.remarks.${code}`;
    return (
      <Notice
        key={code}
        tone="warn"
        title={
          isTextKey(key) ? t(key, { count: members.length }) : t("apps.import.remarks.other", { count: members.length })
        }
      >
        <ul className="mt-1 list-disc ps-4 text-dense">
          {members.map((remark) => (
            <li key={`${remark.node_id}-${remark.message}`} className="break-words">
              {remark.message}
            </li>
          ))}
        </ul>
      </Notice>
    );
  });
}
