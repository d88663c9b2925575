import { Square, SquareCheck } from "lucide-react";
import { memo, useMemo } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import rehypeSanitize from "rehype-sanitize";
import { CodeBlock } from "./CodeBlock";
import { gfm } from "./gfm";
import { htmlAsText } from "./htmlAsText";
import { SafeImage } from "./SafeImage";
import { ScrollingTable } from "./ScrollingTable";
import { splitBlocks } from "./splitBlocks";
import "./markdown.css";

const REMARK = [gfm, htmlAsText];
const REHYPE = [rehypeSanitize];

/** Titles of an answer are one level below the turn they are in, whatever level the model chose. */
const heading = (level: number): NonNullable<Components["h1"]> =>
  function Heading({ children }) {
    return <h3 data-level={level}>{children}</h3>;
  };

function TaskBox({ isDone }: { isDone: boolean }) {
  const Icon = isDone ? SquareCheck : Square;
  return <Icon aria-hidden="true" size={16} className="me-1 inline-block align-text-bottom text-t3" />;
}

const COMPONENTS: Components = {
  h1: heading(1),
  h2: heading(2),
  h3: heading(3),
  h4: heading(4),
  h5: heading(4),
  h6: heading(4),
  a: ({ href, title, children }) => {
    if (!href) return <span>{children}</span>;
    return (
      <a href={href} title={title} target="_blank" rel="noopener noreferrer nofollow">
        {children}
      </a>
    );
  },
  img: ({ src, alt }) => <SafeImage src={typeof src === "string" ? src : ""} alt={alt ?? ""} />,
  pre: ({ node }) => <CodeBlock node={node} />,
  table: ({ children }) => <ScrollingTable>{children}</ScrollingTable>,
  input: ({ checked }) => <TaskBox isDone={checked === true} />,
};

const Block = memo(function Block({ text }: { text: string }) {
  return (
    <ReactMarkdown remarkPlugins={REMARK} rehypePlugins={REHYPE} components={COMPONENTS}>
      {text}
    </ReactMarkdown>
  );
});

/**
 * Text of a model or a user as formatted text. It is never trusted: no HTML, no scripts in addresses, and no picture
 * from another site. Only the last block is rendered again while the text grows.
 */
export const Markdown = memo(function Markdown({ text }: { text: string }) {
  const blocks = useMemo(() => splitBlocks(text), [text]);
  return (
    <div className="markdown">
      {blocks.map((block, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a block is known by its place; only the last one changes.
        <Block key={place} text={block} />
      ))}
    </div>
  );
});
