// A drawing to try things with, made here: shapes that the built-in models know.

/** A PNG file with a few shapes on paper. */
export function sample() {
  const canvas = document.createElement("canvas");
  canvas.width = 320;
  canvas.height = 240;
  const context = canvas.getContext("2d");
  context.fillStyle = "#f4efe4";
  context.fillRect(0, 0, 320, 240);
  shape(context, "#c8452f", (path) => path.arc(72, 78, 38, 0, 2 * Math.PI));
  shape(context, "#2b5fa8", (path) => path.rect(140, 130, 96, 64));
  shape(context, "#d99a1c", (path) => star(path, 238, 70, 42));
  shape(context, "#2e7d4f", (path) =>
    polygon(path, [
      [74, 148],
      [112, 212],
      [36, 212],
    ]),
  );
  return new Promise((resolve) => {
    canvas.toBlob((blob) => resolve(new File([blob], "drawing.png", { type: "image/png" })), "image/png");
  });
}

function shape(context, colour, draw) {
  context.fillStyle = colour;
  context.beginPath();
  draw(context);
  context.closePath();
  context.fill();
}

function polygon(path, points) {
  points.forEach(([x, y], index) => (index === 0 ? path.moveTo(x, y) : path.lineTo(x, y)));
}

function star(path, x, y, radius) {
  const point = (index) => {
    const angle = (index * Math.PI) / 5 - Math.PI / 2;
    const length = index % 2 === 0 ? radius : radius * 0.42;
    return [x + length * Math.cos(angle), y + length * Math.sin(angle)];
  };
  polygon(
    path,
    Array.from({ length: 10 }, (_, index) => point(index)),
  );
}
