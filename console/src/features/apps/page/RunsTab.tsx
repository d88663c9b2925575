import { getRouteApi } from "@tanstack/react-router";
import { RunList, RunTrace } from "@/features/runs";

const route = getRouteApi("/signed-in/apps/$appId/runs");

/** The runs at the left, the chosen one at the right; which one is in the address. */
export function RunsTab() {
  const { appId } = route.useParams();
  const { run } = route.useSearch();
  const navigate = route.useNavigate();
  const select = (id: string | undefined) => void navigate({ search: id ? { run: id } : {} });
  return (
    <div className="flex min-h-0 flex-1 flex-col tablet:flex-row">
      <div className={run ? "hidden min-h-0 tablet:flex tablet:w-96 tablet:flex-col" : "flex min-h-0 flex-1 flex-col"}>
        <RunList appId={appId} selectedId={run} onSelect={select} />
      </div>
      {run && (
        <div className="flex min-h-0 min-w-0 flex-1 flex-col border-line tablet:border-s">
          <RunTrace key={run} appId={appId} runId={run} />
        </div>
      )}
    </div>
  );
}
