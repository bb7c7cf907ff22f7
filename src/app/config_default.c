// SPDX-License-Identifier: MIT
#include "app/config_default.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { ESCAPED_BYTES = 8192 };

/* Vendors stand before Microsoft: who asks for their names is looking for their files. Servers as
   vendors publish them; what was learned of each stands in docs/sources.md. */
static const char before_data[] =
    "{\"identity\": {\"name\": \"symgate\"},\n"
    " \"servers\": [\n"
    "  {\"name\": \"Local store\", \"identifier\": \"store\", \"remote\": \"";

static const char after_data[] =
    "/store\"},\n"
    "  {\"name\": \"Mozilla\", \"identifier\": \"mozilla\",\n"
    "   \"remote\": \"https://symbols.mozilla.org/\", \"layout\": \"symstore\",\n"
    "   \"forms\": [\"compressed\", \"plain\"], \"kinds\": [\"pdb\", \"pe\", \"sym\"],\n"
    "   \"retryTimeout\": \"1h\",\n"
    "   \"whitelist\": [\"(?i)(lib)?(xul|mozglue|mozavcodec|mozavutil|mozwer)\\\\.\",\n"
    "    \"(?i)(firefox|thunderbird)(-bin)?\\\\.(exe|pdb|sym)\",\n"
    "    \"(?i)(lib)?(nss3|nssckbi|freebl3|softokn3|lgpllibs|gkcodecs)\\\\.\"]},\n"
    "  {\"name\": \"Chromium\", \"identifier\": \"chromium\",\n"
    "   \"remote\": \"https://chromium-browser-symsrv.commondatastorage.googleapis.com\",\n"
    "   \"layout\": \"symstore\", \"forms\": [\"plain\", \"compressed\"],\n"
    "   \"kinds\": [\"pdb\", \"pe\"], \"retryTimeout\": \"1h\",\n"
    "   \"whitelist\": [\"(?i)chrom(e|ium)(\\\\.(dll|exe))?\\\\.(pdb|dll|exe)\", "
    "\"(?i)chrome_(child|elf|proxy|wer|pwa)\"]},\n"
    "  {\"name\": \"Electron\", \"identifier\": \"electron\",\n"
    "   \"remote\": \"https://symbols.electronjs.org\", \"layout\": \"symstore\",\n"
    "   \"casing\": \"lower\", \"forms\": [\"plain\"], \"kinds\": [\"pdb\", \"sym\"],\n"
    "   \"retryTimeout\": \"1h\", \"whitelist\": [\"(?i)electron([._-]|$)\"]},\n"
    "  {\"name\": \"NVIDIA\", \"identifier\": \"nvidia\",\n"
    "   \"remote\": \"https://driver-symbols.nvidia.com/\", \"layout\": \"symstore\",\n"
    "   \"kinds\": [\"pdb\", \"pe\"], \"retryTimeout\": \"1h\", \"maxRequests\": 4,\n"
    "   \"whitelist\": [\"(?i)nv(api|apps|container|cpl|cuda|cuvid|d3d|encode|hda)\",\n"
    "    \"(?i)nv(lddmkm|ldumd|ml|ogl|opencl|rtum|stor|wgf2um)\"]},\n"
    "  {\"name\": \"AMD\", \"identifier\": \"amd\",\n"
    "   \"remote\": \"https://download.amd.com/dir/bin\", \"layout\": \"symstore\",\n"
    "   \"headers\": {\"Referer\": \"https://support.amd.com\"},\n"
    "   \"kinds\": [\"pdb\", \"pe\"], \"retryTimeout\": \"1h\", \"maxRequests\": 4,\n"
    "   \"whitelist\": [\"(?i)amd(ihk|kmdag|kmpfd|lvr|ocl|vlk|xc|xn|xx)\",\n"
    "    \"(?i)ati(adlxx|cfx|dxx|kmdag|kmpag|oglxx|umd|uxp)\"]},\n"
    "  {\"name\": \"Intel\", \"identifier\": \"intel\",\n"
    "   \"remote\": \"https://software.intel.com/sites/downloads/symbols/\",\n"
    "   \"layout\": \"symstore\", \"index\": \"000Admin\", \"kinds\": [\"pdb\", \"pe\"],\n"
    "   \"retryTimeout\": \"1h\", \"maxRequests\": 2,\n"
    "   \"breaker\": {\"trigger\": \"10m\", \"count\": 5, \"blackout\": \"15m\"},\n"
    "   \"whitelist\": "
    "[\"(?i)igd(10|11|12|umd|kmd|gmm|dxva|ext|fcl|info|mcl|rcl|ml|md)\\\\w*(32|64|w)\",\n"
    "    \"(?i)ig(c|vk|[0-9]+icd|xe\\\\w*icd|xel?p\\\\w*)(32|64)\\\\.\", "
    "\"(?i)igfx(em|cm|cui|dev|ext|pers|sr|tray|x?11cm)\",\n"
    "    \"(?i)(intelocl|intelcontrollib|libmfxhw)\"]},\n"
    "  {\"name\": \"Unity\", \"identifier\": \"unity\", \"enabled\": false,\n"
    "   \"remote\": \"http://symbolserver.unity3d.com/\", \"layout\": \"symstore\",\n"
    "   \"kinds\": [\"pdb\", \"pe\"], \"retryTimeout\": \"1h\",\n"
    "   \"whitelist\": [\"(?i)unity(player|editor|crash|\\\\.|_)\", \"(?i)windowsplayer\",\n"
    "    \"(?i)mono-2\\\\.0-\"]},\n"
    "  {\"name\": \"Citrix\", \"identifier\": \"citrix\", \"enabled\": false,\n"
    "   \"remote\": \"http://ctxsym.citrix.com/symbols\", \"layout\": \"symstore\",\n"
    "   \"kinds\": [\"pdb\", \"pe\"], \"retryTimeout\": \"1h\",\n"
    "   \"whitelist\": [\"(?i)(ctx|wfica|wfshell|picadd|icaapi)\"]},\n"
    "  {\"name\": \"Microsoft symbol server\", \"identifier\": \"microsoft\",\n"
    "   \"remote\": \"https://msdl.microsoft.com/download/symbols\", \"layout\": \"symstore\",\n"
    "   \"forms\": [\"plain\"], \"retryTimeout\": \"1h\"}\n"
    " ]}\n";

char *config_default_text(const char *data) {
    char escaped[ESCAPED_BYTES];
    text_escape_json(escaped, sizeof escaped, data, strlen(data));
    size_t bytes = sizeof before_data + strlen(escaped) + sizeof after_data;
    char *text = memory_new(bytes);
    text_format(text, bytes, "%s%s%s", before_data, escaped, after_data);
    return text;
}
