import { useCallback, useEffect, useRef } from "react";

const NEAR_PX = 48;

/** Keeps a growing thread at its end, but only while the reader is there. */
export function useStickToEnd<S extends HTMLElement, C extends HTMLElement>() {
  const scroller = useRef<S>(null);
  const content = useRef<C>(null);
  const isAtEnd = useRef(true);

  const toEnd = useCallback(() => {
    isAtEnd.current = true;
    scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
  }, []);

  useEffect(() => {
    const box = scroller.current;
    const inner = content.current;
    if (!box || !inner) return;
    const remember = () => {
      isAtEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;
    };
    const follow = new ResizeObserver(() => {
      if (isAtEnd.current) box.scrollTo({ top: box.scrollHeight });
    });
    box.addEventListener("scroll", remember, { passive: true });
    follow.observe(inner);
    return () => {
      box.removeEventListener("scroll", remember);
      follow.disconnect();
    };
  }, []);

  return { scroller, content, toEnd };
}
