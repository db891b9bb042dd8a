// Chooses among the samples.
{
  const controls = document.getElementById("sample-controls");
  if (controls) {
    const section = document.getElementById("samples");
    controls.hidden = false;
    controls.addEventListener("change", (event) => {
      if (event.target.name === "show") section.dataset.show = event.target.value;
      if (event.target.id === "sample-seed") {
        for (const part of section.querySelectorAll("[data-seed]")) part.hidden = part.dataset.seed !== event.target.value;
      }
    });
  }
}
