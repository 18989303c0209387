/**
 * Choose the file that the test has put on the server.
 *
 * @param {string} filename as the person's computer calls it
 */
export function upload(filename) {
    return {
        content: `choose ${filename}`,
        trigger: ".modal .o_field_widget[name=file] .o_select_file_button",
        async run() {
            const input = document.querySelector(".modal .o_field_widget[name=file] input[type=file]");
            const response = await fetch("/web/content/sms_devino.tour_file");
            const files = new DataTransfer();
            files.items.add(new File([await response.blob()], filename));
            input.files = files.files;
            input.dispatchEvent(new Event("change", { bubbles: true }));
        },
    };
}
