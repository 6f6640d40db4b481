// The button "passkey" of a sign-in page: asks the browser for one, and goes on where the page says.
(() => {
  const button = document.getElementById("passkey");
  const problem = document.getElementById("passkey-problem");
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) return;
  const session = "/api/folkmoot/v1/session";

  async function send(path, body) {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const content = await answer.json();
    if (!answer.ok) throw new Error(content.error);
    return content;
  }

  async function signIn() {
    const { ticket, options, next } = button.dataset;
    const asked = options ? JSON.parse(options) : await send(`${session}/passkey/options`, {});
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked);
    const passkey = (await navigator.credentials.get({ publicKey })).toJSON();
    if (ticket) await send(`${session}/second-factor`, { ticket, passkey });
    else await send(`${session}/passkey`, { passkey });
    location.assign(next);
  }

  button.hidden = false;
  button.addEventListener("click", async () => {
    problem.hidden = true;
    button.disabled = true;
    try {
      await signIn();
    } catch (error) {
      problem.textContent = error.name === "NotAllowedError" ? "No passkey was used." : error.message;
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
})();
