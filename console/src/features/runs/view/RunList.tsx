import { useInfiniteQuery } from "@tanstack/react-query";
import { Activity } from "lucide-react";
import type { RunSummary } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { formatDateTime, formatNumber, formatRelative, formatSeconds } from "@/shared/i18n/format";
import { classes } from "@/shared/lib/classes";
import { walkFocus } from "@/shared/lib/walkFocus";
import { StatusMark } from "@/shared/nodes/StatusMark";
import { Button } from "@/shared/ui/Button";
import { EmptyState } from "@/shared/ui/EmptyState";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Skeleton } from "@/shared/ui/Skeleton";
import { runsQuery } from "../api";
import { formatPrice } from "./figures";
import { sourceName } from "./sourceName";

type Props = { appId: string; selectedId: string | undefined; onSelect: (id: string | undefined) => void };

const CELL = "px-3 py-2 align-middle";
/** Left out beside an open trace. */
const WIDE = "hidden @2xl:table-cell";

/** The runs of an app, newest first. The arrow keys walk the rows; a row opens its trace. */
export function RunList({ appId, selectedId, onSelect }: Props) {
  const t = useText();
  const runs = useInfiniteQuery(runsQuery(appId));
  if (runs.isPending) return <Skeleton lines={6} className="p-4" />;
  if (runs.isError) {
    return (
      <div className="p-4">
        <ErrorNote error={runs.error} onRetry={runs.refetch} />
      </div>
    );
  }
  const items = runs.data.pages.flatMap((page) => page.items);
  if (items.length === 0) {
    return (
      <div className="p-4">
        <EmptyState icon={<Activity aria-hidden="true" size={24} />} title={t("runs.empty.title")}>
          {t("runs.empty.text")}
        </EmptyState>
      </div>
    );
  }
  return (
    <section
      tabIndex={0}
      aria-label={t("runs.list")}
      className="@container h-full min-h-0 overflow-auto -outline-offset-2"
    >
      <table className="w-full border-collapse text-dense" aria-rowcount={runs.hasNextPage ? -1 : items.length + 1}>
        <Head />
        <tbody onKeyDown={walkRows}>
          {items.map((run, place) => (
            <Row key={run.id} run={run} place={place} isSelected={run.id === selectedId} onSelect={onSelect} />
          ))}
        </tbody>
      </table>
      {runs.hasNextPage && (
        <div className="p-3">
          <Button size="compact" busy={runs.isFetchingNextPage} onClick={() => runs.fetchNextPage()}>
            {t("runs.more")}
          </Button>
        </div>
      )}
    </section>
  );
}

const walkRows = walkFocus("button");

function Head() {
  const t = useText();
  const columns = [
    { key: "status", name: t("runs.columns.status") },
    { key: "query", name: t("runs.columns.query") },
    { key: "source", name: t("runs.columns.source"), isWide: true },
    { key: "duration", name: t("runs.columns.duration"), isNumber: true, isWide: true },
    { key: "tokens", name: t("runs.columns.tokens"), isNumber: true, isWide: true },
    { key: "price", name: t("runs.columns.price"), isNumber: true, isWide: true },
    { key: "time", name: t("runs.columns.time"), isNumber: true },
  ];
  return (
    <thead className="sticky top-0 z-sticky bg-s2 text-label text-t2">
      <tr aria-rowindex={1}>
        {columns.map(({ key, name, isNumber, isWide }) => (
          <th
            key={key}
            scope="col"
            className={classes(
              "px-3 py-2 font-medium whitespace-nowrap",
              isNumber ? "text-end" : "text-start",
              isWide && WIDE,
            )}
          >
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}

type RowProps = { run: RunSummary; place: number; isSelected: boolean; onSelect: (id: string) => void };

function Row({ run, place, isSelected, onSelect }: RowProps) {
  const t = useText();
  const price = formatPrice(run.total_price, run.currency);
  return (
    <tr
      aria-rowindex={place + 2}
      className={classes("cursor-pointer border-b border-line", isSelected ? "bg-accent-soft" : "bg-s1 hover:bg-s2")}
      onClick={() => onSelect(run.id)}
    >
      <td className={CELL}>
        <StatusMark status={run.status} />
      </td>
      <td className={classes(CELL, "w-full max-w-0")}>
        <button
          type="button"
          aria-current={isSelected || undefined}
          onClick={(event) => {
            event.stopPropagation();
            onSelect(run.id);
          }}
          className="block min-h-6 max-w-full truncate text-start font-medium text-t1"
        >
          {run.query || t("runs.noQuery")}
        </button>
        {run.error && <p className="truncate text-label text-err">{run.error}</p>}
      </td>
      <td className={classes(CELL, WIDE, "whitespace-nowrap text-t2")}>{sourceName(t, run.source)}</td>
      <td className={classes(CELL, WIDE, "text-end whitespace-nowrap text-t2 tabular-nums")}>
        {run.elapsed_s === null ? t("runs.columns.none") : formatSeconds(run.elapsed_s)}
      </td>
      <td className={classes(CELL, WIDE, "text-end text-t2 tabular-nums")}>{formatNumber(run.total_tokens)}</td>
      <td className={classes(CELL, WIDE, "text-end whitespace-nowrap text-t2 tabular-nums")}>
        {price ?? t("runs.columns.none")}
      </td>
      <td className={classes(CELL, "text-end whitespace-nowrap text-t2")} title={formatDateTime(run.created_at)}>
        <time dateTime={run.created_at}>{formatRelative(run.created_at)}</time>
      </td>
    </tr>
  );
}
