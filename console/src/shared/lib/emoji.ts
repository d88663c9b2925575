let answer: boolean | undefined;

/** Whether this browser draws emoji. Without such a font they come out as empty boxes: black, never coloured. */
export function drawsEmoji(): boolean {
  answer ??= hasColour();
  return answer;
}

function hasColour(): boolean {
  const canvas = document.createElement("canvas");
  canvas.width = 16;
  canvas.height = 16;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return false;
  context.textBaseline = "top";
  context.font = "14px sans-serif";
  context.fillText("\u{1F600}", 0, 0);
  const { data } = context.getImageData(0, 0, 16, 16);
  for (let pixel = 0; pixel < data.length; pixel += 4) {
    const [red, green, blue] = [data[pixel], data[pixel + 1], data[pixel + 2]];
    if (red !== green || green !== blue) return true;
  }
  return false;
}
