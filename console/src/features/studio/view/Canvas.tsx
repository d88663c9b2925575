import { Background, BackgroundVariant, MiniMap, ReactFlow, SelectionMode } from "@xyflow/react";
import { useMemo, useRef } from "react";
import { useText } from "@/shared/i18n";
import { categoryColor, categoryOf } from "@/shared/nodes/kinds";
import type { FlowEdge as Edge, FlowNode } from "../model/flow";
import { CanvasToolbar } from "./CanvasToolbar";
import { FarView } from "./FarView";
import { FlowEdge } from "./FlowEdge";
import { ContainerNode, EntryNode, NoteNode, StepNode } from "./nodes";
import { FIT } from "./viewport";
import "@xyflow/react/dist/style.css";
import "./canvas.css";

const NODE_TYPES = { step: StepNode, container: ContainerNode, entry: EntryNode, note: NoteNode };
const EDGE_TYPES = { flow: FlowEdge };
const CULLED_FROM = 150;
const MINIMAP_UP_TO = 500;
/** A map of three nodes says nothing. */
const MINIMAP_FROM = 4;
const PAN_BUTTONS = [0, 1];

const minimapColor = (node: FlowNode) =>
  node.type === "container" ? "transparent" : categoryColor(categoryOf(node.data.type));

type Props = {
  nodes: FlowNode[];
  edges: Edge[];
  chosenId: string | null;
  onChoose: (id: string | null) => void;
  isOutlineOpen: boolean;
  onToggleOutline: () => void;
};

/** The drawing itself. It is read-only for now: nodes can be chosen, not moved, connected or deleted. */
export function Canvas({ nodes, edges, chosenId, onChoose, isOutlineOpen, onToggleOutline }: Props) {
  const t = useText();
  const canvas = useRef<HTMLElement>(null);
  const labels = useMemo(
    () => ({
      "node.a11yDescription.default": t("studio.canvas.nodeHelp"),
      "node.a11yDescription.keyboardDisabled": t("studio.canvas.nodeHelp"),
      "edge.a11yDescription.default": t("studio.canvas.edgeHelp"),
      "minimap.ariaLabel": t("studio.canvas.minimap"),
      "handle.ariaLabel": t("studio.canvas.handle"),
    }),
    [t],
  );
  const hasMinimap = nodes.length >= MINIMAP_FROM && nodes.length <= MINIMAP_UP_TO;
  return (
    <section ref={canvas} className="tm-canvas min-h-0 flex-1" aria-label={t("studio.canvas.title")}>
      <ReactFlow<FlowNode, Edge>
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        ariaLabelConfig={labels}
        fitView
        fitViewOptions={FIT}
        minZoom={0.1}
        maxZoom={2}
        nodesDraggable={false}
        nodesConnectable={false}
        edgesFocusable={false}
        deleteKeyCode={null}
        selectionKeyCode={null}
        multiSelectionKeyCode={null}
        selectionMode={SelectionMode.Partial}
        panOnDrag={PAN_BUTTONS}
        panOnScroll
        zoomOnDoubleClick={false}
        elevateNodesOnSelect={false}
        onlyRenderVisibleElements={nodes.length >= CULLED_FROM}
        onNodeClick={(_, node) => onChoose(node.id)}
        onNodesChange={(changes) => {
          // Enter and Space on a focused node arrive as a selection.
          for (const change of changes) {
            if (change.type === "select" && change.selected && change.id !== chosenId) onChoose(change.id);
          }
        }}
        onPaneClick={() => onChoose(null)}
      >
        <Background variant={BackgroundVariant.Dots} gap={20} size={1.5} />
        {hasMinimap && (
          <MiniMap<FlowNode> pannable zoomable nodeColor={minimapColor} nodeStrokeWidth={0} nodeBorderRadius={8} />
        )}
        <CanvasToolbar isOutlineOpen={isOutlineOpen} onToggleOutline={onToggleOutline} />
        <FarView canvas={canvas} />
      </ReactFlow>
    </section>
  );
}
