import { Handle, type NodeProps, Position } from "@xyflow/react";
import { memo } from "react";
import { classes } from "@/shared/lib/classes";
import { NodeTile } from "@/shared/nodes/NodeTile";
import { StatusMark } from "@/shared/nodes/StatusMark";
import type { FlowNode, NodeFace } from "../model/flow";
import { TITLE_HEIGHT } from "../model/graph";

const TITLE_MIDDLE = TITLE_HEIGHT / 2;

function frameClass(face: NodeFace, isSelected: boolean): string {
  return classes(
    "tm-node h-full w-full rounded-card border bg-s1 text-t1",
    isSelected
      ? "border-accent outline-2 outline-accent"
      : face.status === "failed"
        ? "border-err"
        : "border-line-strong",
  );
}

function Input({ face, top = TITLE_MIDDLE }: { face: NodeFace; top?: number }) {
  if (!face.hasInput) return null;
  return <Handle id="target" type="target" position={Position.Left} style={{ top }} isConnectable={false} />;
}

function Output({ face, top = TITLE_MIDDLE }: { face: NodeFace; top?: number }) {
  if (face.output === null) return null;
  return <Handle id={face.output} type="source" position={Position.Right} style={{ top }} isConnectable={false} />;
}

function TitleLine({ face }: { face: NodeFace }) {
  return (
    <div className="flex items-center gap-2 px-2" style={{ height: TITLE_HEIGHT - 2 }}>
      <NodeTile type={face.type} size={24} />
      <span className="tm-detail min-w-0 flex-1 truncate text-dense font-medium" title={face.title}>
        {face.title}
      </span>
      <span className="tm-bar" aria-hidden="true" />
      {face.status && <StatusMark status={face.status} isIconOnly />}
    </div>
  );
}

export const StepNode = memo(function StepNode({ data: face, selected }: NodeProps<FlowNode>) {
  return (
    <div className={frameClass(face, selected)}>
      <Input face={face} />
      <TitleLine face={face} />
      <div className="tm-detail">
        {face.summary.map((line) => (
          <p key={line} className="truncate px-2.5 text-meta whitespace-nowrap text-t3" title={line}>
            {line}
          </p>
        ))}
        {face.branches.map((branch) => (
          <p
            key={branch.id}
            className={classes(
              "flex h-5.5 items-center justify-end truncate px-2.5 text-meta font-medium",
              branch.id === "fail-branch" ? "text-warn" : "text-t2",
            )}
            title={branch.label}
          >
            <span className="truncate">{branch.label}</span>
          </p>
        ))}
      </div>
      {face.branches.map((branch) => (
        <Handle
          key={branch.id}
          id={branch.id}
          type="source"
          position={Position.Right}
          style={{ top: branch.offset }}
          isConnectable={false}
        />
      ))}
      <Output face={face} />
    </div>
  );
});

/** A frame round the nodes that run once per round. */
export const ContainerNode = memo(function ContainerNode({ data: face, selected }: NodeProps<FlowNode>) {
  return (
    <div className={classes(frameClass(face, selected), "!bg-transparent")}>
      <Input face={face} />
      <div className="rounded-t-card bg-s1">
        <TitleLine face={face} />
      </div>
      <Output face={face} />
    </div>
  );
});

export const EntryNode = memo(function EntryNode({ data: face, selected }: NodeProps<FlowNode>) {
  return (
    <div className={classes(frameClass(face, selected), "grid place-items-center")}>
      <NodeTile type={face.type} size={20} />
      <Output face={face} />
    </div>
  );
});

export const NoteNode = memo(function NoteNode({ data: face, selected }: NodeProps<FlowNode>) {
  return (
    <div
      className={classes(
        "tm-node h-full w-full overflow-hidden rounded-card border-s-4 bg-s2 px-3 py-2 text-label text-t2",
        "border-node-note",
        selected && "outline-2 outline-accent",
      )}
    >
      <div className="tm-detail wrap-anywhere whitespace-pre-wrap">{face.summary.join("\n")}</div>
    </div>
  );
});
