import { BaseEdge, type EdgeProps, getBezierPath } from "@xyflow/react";
import { memo } from "react";
import type { FlowEdge as Edge } from "../model/flow";

const TAKEN = { stroke: "var(--accent)", strokeWidth: 2 };
const PLAIN = { stroke: "var(--line-strong)", strokeWidth: 1.5 };

export const FlowEdge = memo(function FlowEdge(props: EdgeProps<Edge>) {
  const [path] = getBezierPath(props);
  return <BaseEdge path={path} style={props.data?.isTaken ? TAKEN : PLAIN} interactionWidth={0} />;
});
