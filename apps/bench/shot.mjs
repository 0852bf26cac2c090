import chromium from '@sparticuz/chromium';import {chromium as b} from 'playwright-core';
const browser=await b.launch({executablePath:await chromium.executablePath(),args:['--no-sandbox','--headless']});
for (const [n,scheme,w,h] of [['light','light',1280,900],['dark','dark',1280,900],['phone','light',390,844]]) {
 const p=await browser.newPage({colorScheme:scheme,viewport:{width:w,height:h}});p.on('console',m=>console.log(n,m.type(),m.text()));p.on('pageerror',e=>console.log('ERR',e));
 await p.goto('file:///tmp/rp/report.html');
 console.log(n,await p.evaluate('[document.documentElement.scrollWidth,innerWidth,document.body.scrollHeight]'));
 const ids=process.argv[2]?process.argv[2].split(','):['top'];
 for(const id of ids){await p.evaluate(i=>{const e=document.getElementById(i);document.documentElement.style.scrollBehavior='auto';e.scrollIntoView()},id);await p.screenshot({path:`/tmp/rp/${n}-${id}.png`});}
}
await browser.close();
