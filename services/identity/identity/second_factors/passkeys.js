// Passkeys: takes the options out of the form, lets the browser sign, sends the form. Nothing else.
(() => {
  "use strict";
  const form = document.querySelector("form[data-passkey]");
  if (!form) return;
  const told = document.getElementById("passkey-told");
  const say = (text) => { told.textContent = text; told.hidden = false; };
  const able = window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON;
  if (!able) { say("此浏览器不支持通行密钥，请改用其他登录方式。"); return; }
  const button = form.querySelector("button[type=submit]");
  button.disabled = false;
  form.addEventListener("submit", async (event) => {
    const field = form.elements.credential;
    if (field.value) return;
    event.preventDefault();
    button.disabled = true;
    try {
      const options = JSON.parse(form.dataset.options);
      const credential = form.dataset.passkey === "create"
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
      field.value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch (error) {
      button.disabled = false;
      say({
        InvalidStateError: "此设备上已有该账号的通行密钥。",
        SecurityError: "当前网址不支持通行密钥，请通过网站域名访问，或改用其他登录方式。",
      }[error.name] || "未完成通行密钥验证，请重试或改用其他登录方式。");
      told.focus();
    }
  });
})();
