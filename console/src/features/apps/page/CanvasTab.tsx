import { getRouteApi } from "@tanstack/react-router";
import { CanvasView } from "@/features/studio";

const route = getRouteApi("/signed-in/apps/$appId");

export function CanvasTab() {
  const { appId } = route.useParams();
  return <CanvasView key={appId} appId={appId} />;
}
