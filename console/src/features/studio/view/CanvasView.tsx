import { useQuery } from "@tanstack/react-query";
import { ReactFlowProvider } from "@xyflow/react";
import { runQuery, type Step, toSteps } from "@/features/runs";
import { useSearchParam } from "@/shared/hooks/useSearchParam";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Skeleton } from "@/shared/ui/Skeleton";
import { flowQuery } from "../api";
import { Studio } from "./Studio";

const NO_STEPS: readonly Step[] = [];

/** The flow of an app on a canvas; with a run, what each node did in it. Chosen node and run are in the address. */
export function CanvasView({ appId, runId }: { appId: string; runId?: string }) {
  const flow = useQuery(flowQuery(appId));
  const [addressedRun] = useSearchParam("run");
  const shownRun = runId ?? addressedRun;
  const run = useQuery({ ...runQuery(shownRun ?? ""), enabled: shownRun !== null, select: toSteps });
  if (flow.isPending) return <Skeleton lines={6} className="p-6" />;
  if (flow.isError) {
    return (
      <div className="p-6">
        <ErrorNote error={flow.error} onRetry={flow.refetch} />
      </div>
    );
  }
  return (
    <ReactFlowProvider>
      <Studio
        appId={appId}
        graph={flow.data.graph}
        arrangement={flow.data.arrangement}
        runId={shownRun}
        steps={(shownRun && run.data) || NO_STEPS}
      />
    </ReactFlowProvider>
  );
}
