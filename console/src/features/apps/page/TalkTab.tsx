import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ChatPane, RunForm } from "@/features/chat";
import { appQuery } from "../api";
import { isConversational } from "../mode";

const route = getRouteApi("/signed-in/apps/$appId");

/** Using the app: a conversation, or a form with one result. */
export function TalkTab() {
  const { appId } = route.useParams();
  const { data: app } = useSuspenseQuery(appQuery(appId));
  return isConversational(app.mode) ? <ChatPane key={app.id} app={app} /> : <RunForm key={app.id} app={app} />;
}
