import { expect, test } from "vitest";
import { nodeYaml } from "./nodeYaml";

const FILE = `kind: app
workflow:
  features: {}
  graph:
    edges: []
    nodes:
    - data:
        desc: ''
        prompt_template:
        - role: system
          text: |-
            First.

            title: not a key
        selected: false
        title: Model
        type: llm
      height: 90
      id: '17'
      position:
        x: 30
    - data:
        answer: contains 'hello'
        title: Answer
        type: answer
      id: answer
    viewport:
      zoom: 1
  id: '17'
`;

test("a node's settings are cut out of the file without its name and place", () => {
  expect(nodeYaml(FILE, "17")).toBe("prompt_template:\n- role: system\n  text: |-\n    First.\n\n    title: not a key");
  expect(nodeYaml(FILE, "answer")).toBe("answer: contains 'hello'");
});

test("a node the file does not draw has none", () => {
  expect(nodeYaml(FILE, "llm")).toBeNull();
  expect(nodeYaml("kind: app\n", "17")).toBeNull();
});
